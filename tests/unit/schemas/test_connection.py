from broker.connection import CONNECT_TIMEOUT_MS, KafkaConnection


def test_an_address_list_is_split_and_trimmed() -> None:
    options = KafkaConnection(" one:9092, two:9093 ,,").client_options()
    assert options == {"bootstrap_servers": ["one:9092", "two:9093"], "bootstrap_timeout_ms": CONNECT_TIMEOUT_MS}


def test_security_options_reach_the_client_and_are_never_printed() -> None:
    connection = KafkaConnection("one:9092", security={"sasl_plain_password": "hidden", "security_protocol": "SASL_SSL"})
    assert connection.client_options()["sasl_plain_password"] == "hidden"
    assert "hidden" not in repr(connection)
