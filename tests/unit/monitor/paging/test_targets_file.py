"""The targets file: what it says, and each way in which it can be wrong."""

from datetime import time, timedelta
from pathlib import Path

import pytest

from monitor.paging.message import Severity
from monitor.paging.target import Kind, Subject
from monitor.paging.targets_file import read_targets
from monitor.paging.wording import Language
from schemas.errors import HipwatchError

ROBOT = """
[[target]]
name = "duty"
kind = "dingtalk"
url_env = "ROBOT_URL"
"""
MAIL = """
[[target]]
name = "mail"
kind = "mail"
[target.smtp]
host = "mail.example.cn"
sender = "hipwatch@example.cn"
to = ["duty@example.cn"]
"""
ENVIRONMENT = {"ROBOT_URL": "https://oapi.dingtalk.com/robot/send?access_token=abc", "PASSWORD": "geheim"}


def write(folder: Path, text: str, mode: int = 0o644) -> Path:
    path = folder / "targets.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(mode)
    return path


def test_a_file_says_who_is_told_what(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("SEC1\n")
    text = f"""
page_url = "https://hipwatch.example.cn"
language = "both"
[pace]
settle_seconds = 2
{ROBOT}
secret_file = "secret"
summary_at = "08:30"
[[target.route]]
severity = ["page"]
district = ["qinhuai", "gulou"]
[[target.route]]
scope = ["monitor"]
[[target.mention]]
who = ["13800000000"]
district = ["qinhuai"]
[target.quiet]
start = "22:00"
end = "07:00"
[[target]]
name = "mail"
kind = "mail"
language = "en"
[target.smtp]
host = "mail.example.cn"
sender = "hipwatch@example.cn"
to = ["duty@example.cn"]
user = "hipwatch"
password_env = "PASSWORD"
"""
    robot, mail = read_targets(write(tmp_path, text), ENVIRONMENT)
    assert (robot.name, robot.kind, robot.url, robot.secret) == ("duty", Kind.DINGTALK, ENVIRONMENT["ROBOT_URL"], "SEC1")
    assert (robot.language, robot.summary_at, robot.pace.settle) == (Language.BOTH, time(8, 30), timedelta(seconds=2))
    assert robot.takes(Subject("UnitFeedSilent", Severity.PAGE, "unit", "gulou"))
    assert not robot.takes(Subject("UnitFeedSilent", Severity.TICKET, "unit", "gulou"))
    assert robot.takes(Subject("Any", Severity.TICKET, "monitor"))
    assert robot.mentioned([Subject("UnitFeedSilent", Severity.PAGE, "unit", "qinhuai")]) == ["13800000000"]
    assert mail.mail is not None
    assert (mail.mail.host, mail.mail.port, mail.mail.security, mail.mail.password) == (
        "mail.example.cn",
        587,
        "starttls",
        "geheim",
    )
    assert mail.language is Language.EN


def test_a_target_without_a_route_is_told_of_pages_and_not_of_tickets(tmp_path: Path) -> None:
    (robot,) = read_targets(write(tmp_path, ROBOT), ENVIRONMENT)
    assert robot.takes(Subject("UnitFeedSilent", Severity.PAGE, "unit", "gulou"))
    assert robot.takes(Subject("NoWorker", Severity.PAGE, "monitor"))
    assert not robot.takes(Subject("FindingsOpen", Severity.TICKET, "city"))


def test_secrets_may_stand_in_a_file_that_nobody_else_can_read(tmp_path: Path) -> None:
    text = ROBOT.replace('url_env = "ROBOT_URL"', 'url = "https://robot.example/?k=v"')
    assert read_targets(write(tmp_path, text, 0o600), {})[0].url == "https://robot.example/?k=v"
    with pytest.raises(
        HipwatchError, match=r"key target.duty.url: it stands here in clear, and others can read the file"
    ) as error:
        read_targets(write(tmp_path, text, 0o640), {})
    assert "k=v" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "key target: is missing"),
        ("target = 3", "key target: must be a valid list"),
        (ROBOT + "colour = 'red'", "key target.duty.colour: there is no such key (there are name, kind, url"),
        (
            ROBOT.replace("dingtalk", "slack"),
            "key target.duty.kind: must be 'dingtalk', 'wecom', 'feishu', 'webhook' or 'mail'",
        ),
        (ROBOT + "recoveries = 1", "key target.duty.recoveries: must be a valid boolean"),
        (ROBOT + "per_minute = 0", "key target.duty.per_minute: must be greater than or equal to 1"),
        (
            ROBOT + "[[target.route]]\nseverity = ['loud']",
            "key target.duty.route.1.severity.1: must be 'page' or 'ticket'",
        ),
        (ROBOT + "[target.quiet]\nstart = '25:00'\nend = '07:00'", "key target.duty.quiet.start: must match pattern"),
        (ROBOT + ROBOT, "key target.duty: the name stands twice"),
        (ROBOT + "url = 'https://x'", "give one of url_file, url_env and url, not several"),
        (ROBOT + "secret_file = 'nowhere'", "key target.duty.secret_file: "),
        (ROBOT.replace("ROBOT_URL", "NONE"), "key target.duty.url_env: the environment has no NONE"),
        (ROBOT.replace("ROBOT_URL", "PLAIN"), "key target.duty.url: it is not https"),
        (ROBOT.replace("ROBOT_URL", "LOGIN"), "key target.duty.url: a user and password do not belong into a URL"),
        (ROBOT.replace("ROBOT_URL", "FILE"), "key target.duty.url: it is no http or https address with a host"),
        (ROBOT.replace("ROBOT_URL", "BAD_PORT"), "key target.duty.url: it is no http or https address with a host"),
        (ROBOT.replace('url_env = "ROBOT_URL"', ""), "key target.duty: a dingtalk target needs its robot's URL"),
        (ROBOT.replace("dingtalk", "mail"), "key target.duty.url: a mail target has no URL"),
        (ROBOT + "secret_env = 'CHINESE'", "key target.duty.secret: it has a character that cannot be sent"),
        (ROBOT + "token_env = 'TWO_LINES'", "key target.duty.token: it has a character that cannot be sent"),
        (ROBOT + "ca_file = 'nowhere.pem'", "nowhere.pem cannot be read"),
        (ROBOT + "proxy = 'proxy.example:3128'", "key target.duty.proxy: must match pattern"),
        (MAIL.replace("duty@", "值班@"), "key target.mail.smtp.to.1: must match pattern"),
        (MAIL.replace("hipwatch@", "告警@"), "key target.mail.smtp.sender: must match pattern"),
        (MAIL + "user = '值班'\npassword_env = 'PASSWORD'", "key target.mail.smtp.user: mail servers take a name in ASCII only"),
        ("page_url = 'hipwatch'" + ROBOT, "key page_url: must match pattern"),
        ("language = ", "Invalid value"),
    ],
)
def test_what_is_wrong_is_one_sentence_that_names_file_and_key(tmp_path: Path, text: str, said: str) -> None:
    environment = ENVIRONMENT | {
        "PLAIN": "http://robot.example/?key=geheim",
        "LOGIN": "https://me:geheim@robot.example/",
        "FILE": "file:///etc/geheim",
        "BAD_PORT": "https://robot.example:geheim/",
        "CHINESE": "geheim，geheim",
        "TWO_LINES": "geheim\ngeheim",
    }
    path = write(tmp_path, text)
    with pytest.raises(HipwatchError) as error:
        read_targets(path, environment)
    assert str(error.value).startswith(str(path))
    assert said in str(error.value)
    assert "geheim" not in str(error.value)


def test_mail_without_tls_goes_only_to_a_private_address_and_without_a_password(tmp_path: Path) -> None:
    smtp = "[target.smtp]\nhost = 'm'\nsender = 'a@b.cn'\nto = ['c@d.cn']\nsecurity = 'none'\n"
    text = "[[target]]\nname = 'mail'\nkind = 'mail'\n"
    with pytest.raises(HipwatchError, match=r"smtp.security: without TLS only to a private address"):
        read_targets(write(tmp_path, text + smtp), {})
    with pytest.raises(HipwatchError, match=r"smtp.security"):
        read_targets(
            write(tmp_path, text + "allow_private = true\n" + smtp + "user = 'u'\npassword_env = 'PASSWORD'"), ENVIRONMENT
        )
    assert read_targets(write(tmp_path, text + "allow_private = true\n" + smtp), {})[0].mail is not None


def test_quiet_hours_may_go_through_midnight(tmp_path: Path) -> None:
    from datetime import UTC, datetime

    (target,) = read_targets(write(tmp_path, ROBOT + "[target.quiet]\nstart = '22:00'\nend = '07:00'"), ENVIRONMENT)
    assert target.quiet is not None
    held = [target.quiet.holds(datetime(2024, 9, 10, hour, tzinfo=UTC)) for hour in (13, 14, 22, 23)]  # 21, 22, 6 and 7 o'clock
    assert held == [False, True, True, False]


def test_there_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(HipwatchError, match="there is no targets file"):
        read_targets(tmp_path / "none.toml")


def test_a_certificate_stands_beside_the_targets_file_wherever_serve_was_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "ca.pem").write_text("certificate\n")
    path = write(tmp_path, f"{ROBOT}ca_file = 'ca.pem'\n{MAIL}ca_file = '{tmp_path}/ca.pem'\n")
    monkeypatch.chdir("/")
    robot, mail = read_targets(path, ENVIRONMENT)
    assert mail.mail is not None
    assert (robot.ca_file, mail.mail.ca_file) == (str(tmp_path / "ca.pem"), str(tmp_path / "ca.pem"))
