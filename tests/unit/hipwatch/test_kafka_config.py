import shutil
import subprocess
from pathlib import Path

import pytest
from kafka import KafkaConsumer

from broker.config_file import PASSWORD_VARIABLE, read_kafka_config
from schemas.errors import HipwatchError
from tests.services.certificates import Authority, Pair


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture
def folder(tmp_path: Path, authority: Authority, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the configuration lies, with an authority, a client's certificate and a password beside it."""
    monkeypatch.delenv(PASSWORD_VARIABLE, raising=False)
    pair: Pair = authority.client("client")
    for name, source in (("ca.pem", authority.certificate), ("client.pem", pair.certificate), ("client.key", pair.key)):
        shutil.copyfile(source, tmp_path / name)
    (tmp_path / "password").write_text("geheim und lang\n", encoding="utf-8")
    return tmp_path


def config(folder: Path, text: str) -> Path:
    path = folder / "kafka.toml"
    path.write_text(text, encoding="utf-8")
    return path


SASL = 'security_protocol = "SASL_SSL"\nsasl_mechanism = "SCRAM-SHA-512"\nsasl_username = "hip"\n'


def test_an_empty_file_means_plaintext(folder: Path) -> None:
    assert read_kafka_config(config(folder, "")) == {"security_protocol": "PLAINTEXT"}


def test_every_key_becomes_the_option_of_kafka_python(folder: Path) -> None:
    text = SASL + (
        'ssl_cafile = "ca.pem"\nssl_certfile = "client.pem"\nssl_keyfile = "client.key"\nssl_check_hostname = false\n'
        'sasl_password_file = "password"\nrequest_timeout_ms = 20000\n'
    )
    assert read_kafka_config(config(folder, text)) == {
        "security_protocol": "SASL_SSL",
        "ssl_cafile": str(folder / "ca.pem"),
        "ssl_certfile": str(folder / "client.pem"),
        "ssl_keyfile": str(folder / "client.key"),
        "ssl_check_hostname": False,
        "sasl_mechanism": "SCRAM-SHA-512",
        "sasl_plain_username": "hip",
        "sasl_plain_password": "geheim und lang",
        "request_timeout_ms": 20_000,
    }


def test_every_option_is_one_that_kafka_python_knows(folder: Path) -> None:
    options = read_kafka_config(config(folder, SASL + 'ssl_cafile = "ca.pem"\nsasl_password_file = "password"\n'))
    assert set(options) <= set(KafkaConsumer.DEFAULT_CONFIG)


def test_relative_paths_are_relative_to_the_file(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = config(folder, 'security_protocol = "SSL"\nssl_cafile = "ca.pem"\n')
    monkeypatch.chdir(folder.parent)
    assert read_kafka_config(path)["ssl_cafile"] == str(folder / "ca.pem")
    assert read_kafka_config(path.relative_to(folder.parent))["ssl_cafile"] == str(folder / "ca.pem")


def test_the_host_name_is_checked_unless_said_otherwise(folder: Path) -> None:
    assert read_kafka_config(config(folder, 'security_protocol = "SSL"\n'))["ssl_check_hostname"] is True


def test_the_password_comes_from_the_environment_where_no_file_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PASSWORD_VARIABLE, "from the environment")
    assert read_kafka_config(config(folder, SASL))["sasl_plain_password"] == "from the environment"
    named = config(folder, SASL + 'sasl_password_file = "password"\n')
    assert read_kafka_config(named)["sasl_plain_password"] == "geheim und lang"


@pytest.mark.parametrize(
    ("text", "key", "what"),
    [
        ('security_protocol = "TLS"', "security_protocol", "must be 'PLAINTEXT', 'SSL', 'SASL_PLAINTEXT' or 'SASL_SSL'"),
        ('security_protocol = "ssl"', "security_protocol", "must be 'PLAINTEXT'"),
        ("security_protocol = 1", "security_protocol", "must be 'PLAINTEXT'"),
        ("security_protocol = []", "security_protocol", "must be 'PLAINTEXT'"),
        ('ssl_cafile = "ca.pem"', "ssl_cafile", "means nothing with security_protocol PLAINTEXT"),
        ('security_protocol = "SSL"\nsasl_username = "hip"', "sasl_username", "means nothing with security_protocol SSL"),
        ('security_protocol = "SSL"\nssl_cafile = "none.pem"', "ssl_cafile", "No such file"),
        ('security_protocol = "SSL"\nssl_cafile = "."', "ssl_cafile", "Is a directory"),
        ('security_protocol = "SSL"\nssl_cafile = ""', "ssl_cafile", "at least 1 character"),
        ('security_protocol = "SSL"\nssl_cafile = true', "ssl_cafile", "must be a valid string"),
        ('security_protocol = "SSL"\nssl_cafile = "password"', "ssl_cafile", "nothing usable in PEM form"),
        ('security_protocol = "SSL"\nssl_keyfile = "client.key"', "ssl_keyfile", "needs ssl_certfile"),
        ('security_protocol = "SSL"\nssl_certfile = "client.key"', "ssl_certfile", "nothing usable"),
        ('security_protocol = "SSL"\nssl_certfile = "client.pem"', "ssl_certfile", "nothing usable"),
        ('security_protocol = "SSL"\nssl_certfile = "client.pem"\nssl_keyfile = "ca.pem"', "ssl_keyfile", "nothing usable"),
        (
            'security_protocol = "SSL"\nssl_certfile = "ca.pem"\nssl_keyfile = "client.key"',
            "ssl_keyfile",
            "not the certificate's",
        ),
        ('security_protocol = "SSL"\nssl_check_hostname = "no"', "ssl_check_hostname", "must be a valid boolean"),
        ('security_protocol = "SASL_SSL"', "sasl_mechanism", "is missing"),
        ('security_protocol = "SASL_SSL"\nsasl_mechanism = "GSSAPI"', "sasl_mechanism", "must be 'PLAIN', 'SCRAM"),
        ('security_protocol = "SASL_SSL"\nsasl_mechanism = "PLAIN"', "sasl_username", "is missing"),
        (SASL, "sasl_password_file", "is missing, and so is HIPWATCH_KAFKA_PASSWORD"),
        (SASL + 'sasl_password_file = "nowhere"', "sasl_password_file", "No such file"),
        (SASL + 'sasl_password_file = "empty"', "sasl_password_file", "is empty"),
        (SASL + 'sasl_password_file = "binary"', "sasl_password_file", "is no text"),
        ("request_timeout_ms = 0", "request_timeout_ms", "must be greater than or equal to 1000"),
        ("request_timeout_ms = 1.5", "request_timeout_ms", "must be a valid integer"),
        ("request_timeout_ms = true", "request_timeout_ms", "must be a valid integer"),
        ('security_protokol = "SSL"', "security_protokol", "there is no such key (there are security_protocol"),
        ('sasl_password = "x"', "sasl_password_file", "a password does not belong here"),
        ('[kafka]\nsecurity_protocol = "SSL"', "key kafka", "there is no such key"),
        ("security_protocol = SSL", "Invalid value", "line 1"),
    ],
)
def test_what_is_wrong_is_named_with_the_file_and_the_key(folder: Path, text: str, key: str, what: str) -> None:
    (folder / "empty").write_text("\n", encoding="utf-8")
    (folder / "binary").write_bytes(b"\xff\xfe\x00")
    path = config(folder, text)
    with pytest.raises(HipwatchError) as caught:
        read_kafka_config(path)
    sentence = str(caught.value)
    assert str(path) in sentence
    assert key in sentence
    assert what in sentence
    assert "\n" not in sentence


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(HipwatchError, match=r"there is no Kafka configuration .*kafka\.toml"):
        read_kafka_config(tmp_path / "kafka.toml")


def test_a_folder_or_no_text_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(HipwatchError, match="cannot be read: Is a directory"):
        read_kafka_config(tmp_path)
    (tmp_path / "kafka.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(HipwatchError, match=r"kafka\.toml"):
        read_kafka_config(tmp_path / "kafka.toml")


def test_a_key_with_a_passphrase_is_refused_and_nobody_is_asked(folder: Path) -> None:
    locked = ["openssl", "ec", "-aes256", "-passout", "pass:geheim", "-in", "client.key", "-out", "locked.key"]
    subprocess.run(locked, cwd=folder, check=True, capture_output=True)
    text = 'security_protocol = "SSL"\nssl_certfile = "client.pem"\nssl_keyfile = "locked.key"\n'
    with pytest.raises(HipwatchError, match="ssl_keyfile: the key has a passphrase"):
        read_kafka_config(config(folder, text))


def test_a_password_is_in_no_message(folder: Path) -> None:
    text = SASL + 'sasl_password_file = "password"\nssl_check_hostname = 1\n'
    with pytest.raises(HipwatchError) as caught:
        read_kafka_config(config(folder, text))
    assert "geheim" not in str(caught.value)


def test_the_system_authorities_count_where_no_file_is_named(folder: Path) -> None:
    assert "ssl_cafile" not in read_kafka_config(config(folder, 'security_protocol = "SSL"\n'))
