"""The `qiaoyi` command."""

import argparse
import asyncio
import gc
import sys
from collections.abc import Callable, Coroutine, Sequence
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

from qiaoyi.roles import ServeRole

_LAST_PORT = 65_535
_DEMO = "demo.command.demo"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and give the exit status: 0 done, 1 something is wrong, 2 it was called wrongly."""
    options = _parser().parse_args(arguments)
    try:
        return _run(_function(_DEMO)(options)) if options.command == _DEMO else _in_the_house(options)
    except KeyboardInterrupt:
        return 130


def _in_the_house(options: argparse.Namespace) -> int:
    """Run a command that needs the product. It takes seconds to import, which the help and the demonstration save."""
    gc.disable()  # nearly all that is imported stays: to look for what does not costs a sixth of the time
    try:
        from nlu.models import ModelError
        from qiaoyi.local import StartError
        from qiaoyi.settings import SettingsError, load

        command = _function(options.command)
    finally:
        gc.enable()
    try:
        settings = load(data=options.data, port=getattr(options, "port", None), role=getattr(options, "role", None))
        return _run(command(settings, options))
    except (SettingsError, StartError, ModelError) as error:
        print(f"qiaoyi: {error}", file=sys.stderr)
        return 2 if isinstance(error, SettingsError) else 1


def _function(name: str) -> Callable[..., Coroutine[Any, Any, int]]:
    """The function of a module of this package."""
    module, _, function = name.rpartition(".")
    found: Callable[..., Coroutine[Any, Any, int]] = getattr(import_module(f"qiaoyi.{module}"), function)
    return found


def _run(main_task: Coroutine[Any, Any, int]) -> int:
    if sys.platform == "win32":
        return asyncio.run(main_task)
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(main_task)


def _port(said: str) -> int:
    """Read a port; argparse says the text of the error behind the name of the option."""
    if not said.isdecimal() or not 0 < int(said) <= _LAST_PORT:
        raise argparse.ArgumentTypeError(f"{said} is no port: a number from 1 to {_LAST_PORT}")
    return int(said)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="qiaoyi", description="桥医: remote consultation inside WeChat")
    parser.add_argument("--data", type=Path, help="folder of everything that is kept (default: var)")
    verbs = parser.add_subparsers(required=True, metavar="command")

    run = _verb(verbs, "run", "commands.run", "start the product together with a local WeChat")
    run.add_argument("--port", type=_port)
    run.add_argument("--sandbox-port", type=_port, default=8090)

    serve = _verb(verbs, "serve", "commands.serve", "start the product, or one role of it, as the settings say")
    serve.add_argument("--port", type=_port)
    serve.add_argument("--role", type=ServeRole, choices=list(ServeRole))

    _verb(verbs, "migrate", "commands.migrate", "bring the database's tables up to date")
    _verb(verbs, "seed", "commands.seed", "load the invented people of the demonstration")

    demo = _verb(verbs, "demo", _DEMO, "play a whole consultation against a running local WeChat")
    demo.add_argument("--sandbox", default="http://127.0.0.1:8090", help="address of the sandbox")
    demo.add_argument("--patience", type=float, default=30, help="seconds that it waits for a message (default: 30)")
    demo.add_argument("--json", action="store_true", help="print the steps with their times as one object")

    _verb(verbs, "doctor", "commands.doctor", "check the set-up and say what is wrong")

    invite = _verb(verbs, "invite", "commands.invite", "make the QR code by which a doctor or an expert joins")
    invite.add_argument("practitioner", help="licence number, or the code of one of the demonstration's people")
    invite.add_argument("--sandbox-port", type=_port, default=8090, help="of the local WeChat, where no account is set")

    administrator = _verb(
        verbs,
        "administrator",
        "commands.administrator",
        "make the link by which an administrator of the console begins",
    )
    administrator.add_argument("name", help="by which they sign in; for a name that is there the link begins anew")
    administrator.add_argument("--port", type=_port, help="of the product, as it was started")
    administrator.add_argument(
        "--sandbox-port", type=_port, default=8090, help="of the local WeChat, where there is one"
    )

    _verb(verbs, "nodes", "commands.nodes", "list the processes that carry video rooms")
    drain = _verb(verbs, "drain", "commands.drain", "let processes keep their video rooms and take no new ones")
    which = drain.add_mutually_exclusive_group(required=True)
    which.add_argument("--node", metavar="ID", help="of one process, as `qiaoyi nodes` lists them")
    which.add_argument("--all", action="store_true", help="every process that lives")
    drain.add_argument("--wait", action="store_true", help="come back when the last of their rooms is over")

    _sender(_verb(verbs, "sender", "commands.sender", "let machines of institutions send images"))
    _destination(_verb(verbs, "destination", "commands.destination", "say to which PACS of institutions images go"))

    _certificate(_verb(verbs, "certificate", "commands.certificate", "let doctors and pharmacists sign prescriptions"))
    _hospital(
        _verb(verbs, "hospital", "commands.hospital", "say which hospitals are asked for histories and written to")
    )

    pay = _verb(verbs, "statements", "commands.statement", "give a month's pay of experts and institutions as a table")
    pay.add_argument("month", help="such as 2026-11; of a month that runs: as far as it is known")
    pay.add_argument("--out", type=Path, metavar="FILE", help="a CSV file for a spreadsheet (default: standard output)")

    books = _verb(verbs, "reconcile", "commands.reconcile", "compare a day's ledger with the insurer's and the bill")
    books.add_argument("day", nargs="?", type=date.fromisoformat, help="such as 2026-11-21 (default: yesterday)")

    keys = _verb(verbs, "keys", "commands.rotate_keys", "rotate the encryption key")
    keys.add_argument("action", choices=["rotate"])

    saved = _verb(verbs, "backup", "backups.backup", "write everything that is kept into one encrypted file")
    saved.add_argument("--with-keys", action="store_true", help="with the key ring: whoever opens it reads everything")
    saved.add_argument("--without-images", action="store_true", help="images are left to what keeps them")
    back = _verb(verbs, "restore", "backups.restore", "verify such a file, and put it into an empty place")
    back.add_argument("--check", action="store_true", help="verify it and change nothing")
    for one in (saved, back):
        one.add_argument("file", type=Path)
        one.add_argument("--key-file", type=Path, help="64 hexadecimal digits; else BACKUP_PASSPHRASE, or asked")

    table = _verb(
        verbs,
        "export-research",
        "research.export_research",
        "write finished cases as a table in which nobody can be found",
    )
    table.add_argument("file", type=Path, help="a new Parquet file")
    table.add_argument("--purpose", required=True, help="what for, in words; kept in the audit log")
    table.add_argument("--since", type=date.fromisoformat, help="first day of the cases (default: a year back)")
    table.add_argument("--until", type=date.fromisoformat, help="last day of the cases (default: today)")
    table.add_argument("--k", type=int, help="how many people have to be alike at least (default: as the settings say)")
    table.add_argument("--months", action="store_true", help="the true month instead of a day that was shifted")
    table.add_argument("--with-text", action="store_true", help="free text too, without what names anybody")

    copy = _verb(verbs, "export-masked", "masked.export_masked", "copy the database for testers, without anybody in it")
    copy.add_argument("folder", type=Path, help="a new folder, which the product can be started on")
    copy.add_argument("--purpose", required=True, help="what for, in words; kept in the audit log")

    _audit(_verb(verbs, "audit", "audit_log.audit", "verify the audit log, and prove what is in it"))
    return parser


def _audit(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="action")
    actions.add_parser("verify", help="compute all of it anew and name what was changed, inserted or removed")
    proof = actions.add_parser("proof", help="print the proof that an entry is in the log")
    proof.add_argument("entry", type=int, help="its number")
    growth = actions.add_parser("growth", help="print the proof that the log only grew since a head that was kept")
    growth.add_argument("head", type=Path, help="the file of that head")
    check = actions.add_parser("check-proof", help="verify such a proof, without database or keys")
    check.add_argument("proof", type=Path, help="the file of the proof")
    check.add_argument("--key", required=True, help="the public key, as `qiaoyi audit key` prints it")
    actions.add_parser("key", help="print the public key that heads are verified with")


def _sender(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="action")
    add = actions.add_parser(
        "add", help="register one: over DICOMweb, or by C-STORE where --title and --network are given"
    )
    add.add_argument("institution", help="code of the institution that it belongs to")
    add.add_argument("label", help="what people call it, such as 放射科CT")
    add.add_argument("--title", help="the AE title by which it calls")
    add.add_argument("--network", help="the addresses that it calls from, such as 10.1.2.0/24")
    actions.add_parser("list", help="show those that are registered")
    remove = actions.add_parser("remove", help="let one send no more")
    remove.add_argument("id", help="as `qiaoyi sender list` shows it")


def _certificate(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="action")
    issue = actions.add_parser("issue", help="issue one of the local authority")
    issue.add_argument("practitioner", help="licence number, or the code of one of the demonstration's people")
    issue.add_argument("--days", type=int, default=365, help="how long it holds")
    actions.add_parser("list", help="show all, those that end first at the top")
    revoke = actions.add_parser("revoke", help="let nothing more be signed with one")
    revoke.add_argument("serial", help="as `qiaoyi certificate list` shows it")
    revoke.add_argument("reason", help="why, kept encrypted")
    actions.add_parser("root", help="print the authority's own certificate, for whoever checks papers")


def _destination(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="action")
    add = actions.add_parser("add", help="register one, by --url or by --host, --port and --title")
    add.add_argument("institution", help="code of the institution that it belongs to")
    add.add_argument("label", help="what people call it, such as 县医院PACS")
    add.add_argument("--teaching", action="store_true", help="it gets de-identified copies that somebody asks for")
    actions.add_parser("list", help="show those that are registered")
    change = actions.add_parser("change", help="another address, login or limit; what is not said stays")
    for one in (add, change):
        one.add_argument("--url", help="of its DICOMweb service, such as https://pacs.example.cn/dicom-web")
        login = one.add_mutually_exclusive_group()
        login.add_argument("--user", help="name by which we log in; the password is read from PACS_PASSWORD, or asked")
        login.add_argument("--token", action="store_true", help="log in by a bearer token, read in the same way")
        one.add_argument("--host", help="where it takes C-STORE")
        one.add_argument("--port", type=int)
        one.add_argument("--title", help="its AE title")
        one.add_argument("--own-title", help="the AE title by which we call")
        one.add_argument("--rate", metavar="KB", help="kB a second at most, on average; none for no limit")
        one.add_argument("--window", metavar="FROM-TO", help="when images go, such as 22:00-6:00; none for always")
    remove = actions.add_parser("remove", help="send nothing there any more")
    resend = actions.add_parser("resend", help="try again what came to a dead end")
    probe = actions.add_parser("probe", help="ask whether it answers and knows us; nothing is sent")
    for one in (change, remove, resend, probe):
        one.add_argument("id", help="as `qiaoyi destination list` shows it")


def _hospital(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="action")
    add = actions.add_parser("add", help="register one by the address of its FHIR R4 server")
    add.add_argument("institution", help="code of the institution that it is")
    add.add_argument("label", help="what people call it, such as 县人民医院")
    actions.add_parser("list", help="show those that are registered")
    change = actions.add_parser("change", help="another address or login; the login is said anew")
    for one in (add, change):
        one.add_argument("--url", help="of its FHIR server, such as https://his.example.cn/fhir")
        one.add_argument(
            "--token", action="store_true", help="log in by a bearer token, read from HOSPITAL_TOKEN or asked"
        )
        one.add_argument("--client-id", help="log in by SMART backend services: the name that the hospital knows us by")
        one.add_argument("--token-url", help="where it grants tokens")
        one.add_argument("--key", metavar="FILE", help="our private key (PEM; RSA or P-384)")
        one.add_argument("--key-id", help="by which the hospital finds our public key")
        one.add_argument("--scope", help="what we ask to be allowed (default: system/*.rs)")
        one.add_argument("--identity-system", metavar="URI", help="of citizen identity numbers at this hospital")
        one.add_argument("--private", action="store_true", help="it lies in a private network")
    remove = actions.add_parser("remove", help="ask there no more, and forget what it told")
    probe = actions.add_parser("probe", help="ask what it is, and whether it lets us search")
    actions.add_parser("written", help="show how many consultations stand where on their way into hospitals' records")
    resend = actions.add_parser("resend", help="write again what came to a dead end")
    for one in (change, remove, probe, resend):
        one.add_argument("id", help="as `qiaoyi hospital list` shows it")


def _verb(verbs: Any, name: str, command: str, help_: str) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=help_, description=help_)
    parser.add_argument("--data", type=Path, default=argparse.SUPPRESS, help=argparse.SUPPRESS)
    parser.set_defaults(command=command)
    return parser
