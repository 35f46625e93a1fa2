"""The versions that the ledger knows are Alembic's, though Alembic is only asked when tables change."""

import subprocess
import sys
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory

from monitor.ledger import versions


def test_the_versions_are_alembics_in_its_order() -> None:
    config = Config()
    config.set_main_option("script_location", str(versions.MIGRATIONS))
    scripts = ScriptDirectory.from_config(config)
    newest_first = [script.revision for script in scripts.walk_revisions()]
    assert list(versions._known()) == newest_first[::-1]
    assert versions.newest() == scripts.get_current_head()


def test_who_only_opens_a_ledger_does_not_load_alembic(tmp_path: Path) -> None:
    script = (
        "import sys\nfrom monitor.ledger.database import open_database\n"
        "open_database(sys.argv[1], create=sys.argv[2] == 'create').dispose()\nprint('alembic' in sys.modules)"
    )

    def loads_alembic(how: str) -> str:
        line = [sys.executable, "-c", script, f"sqlite:///{tmp_path}/ledger.db", how]
        return subprocess.run(line, capture_output=True, text=True, check=True).stdout.split()[-1]

    assert [loads_alembic(how) for how in ("create", "create", "read")] == ["True", "False", "False"]
