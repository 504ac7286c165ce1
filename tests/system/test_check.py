"""What `kentongan check --open` says of a running gateway's dialogs when their plugin's code has changed."""

import subprocess
import sys

import gateway
import scenes

FIRST = """
local function dialog(citizen)
  local name = citizen:ask("Nama?")
  records.people:put { name = name }
  local row = records.people:get(citizen)
  local size = citizen:choose("Ukuran untuk " .. row.name .. "?", { "Kecil", "Besar" })
  citizen:confirm("Benar " .. size .. "?")
  citizen:ask("Alamat?")
end

return {
  name = "pesan", api = 1, summary = "Orders",
  triggers = { keywords = { PESAN = "dialog" } },
  needs = { "records" },
  records = { people = { name = "text", unique = { "citizen" } } },
  dialog = dialog,
}
"""
WORDS = FIRST.replace('"Nama?"', '"Siapa nama Anda?"').replace('"Kecil"', '"Mungil"').replace("Benar", "Sudah benar:")
OPTIONS = WORDS.replace('"Besar" }', '"Besar", "Sedang" }')
KIND = WORDS.replace('citizen:choose("Ukuran untuk " .. row.name .. "?", { "Mungil", "Besar" })', 'citizen:ask("Ukuran?")')
SHORT = WORDS.replace('  citizen:ask("Alamat?")\n', "")
FAILS = WORDS.replace('"Sudah benar: " .. size', "row.size .. size")


def said(gw, source):
    """The plugin is as in `source` now: (exit status, what is printed)."""
    scenes.add_plugin(gw, "pesan", source)
    command = [gw.program, "check", "--open", "pesan", "--state", str(gw.folder / "state"), str(gw.folder / "plugins")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=gateway.PATIENCE, check=False)
    assert not done.stderr, done.stderr
    return done.returncode, done.stdout


def expect(gw, source, status, text):
    found = said(gw, source)
    assert found == (status, text), f"{found} instead of {(status, text)}"


def test_open_dialogs_are_run_on_new_code(program):
    with scenes.running() as (gw, _):
        scenes.add_plugin(gw, "pesan", FIRST)
        gw.restart()
        scenes.tell(gw, "+6281200000001", "PESAN")
        scenes.tell(gw, "+6281200000002", "PESAN", "Siti")
        scenes.tell(gw, "+6281200000003", "PESAN", "Budi", "2", "ya")
        for number in range(1, 4):
            gateway.until("its dialog", lambda number=number: len(gw.messages(f"+628120000000{number}")) >= min(number, 2))
        expect(gw, FIRST, 0, "3 would continue, 0 would diverge\n")
        expect(gw, WORDS, 0, "3 would continue, 0 would diverge\n")
        expect(gw, OPTIONS, 1, "1 would continue, 2 would diverge: question 2, pesan.lua:6, expected choose, found another choose\n")
        expect(gw, KIND, 1, "1 would continue, 2 would diverge: question 2, pesan.lua:6, expected choose, found ask\n")
        expect(gw, SHORT, 1, "2 would continue, 1 would diverge: question 4, pesan.lua, expected ask, found the end\n")
        expect(gw, FAILS, 1, "2 would continue, 1 would diverge: pesan:7: attempt to concatenate a nil value (field 'size')\n")
        by_config = [gw.program, "check", "--open", "pesan", "--config", str(gw.folder / "kentongan.conf.lua")]
        done = subprocess.run(by_config, capture_output=True, text=True, cwd="/", timeout=gateway.PATIENCE, check=False)
        assert done.stdout.startswith("2 would continue, 1 would diverge: "), done
        scenes.tell(gw, "+6281200000003", "Jalan Merdeka 12")  # the gateway went on with its own code meanwhile
        gateway.until("the end", lambda: len(gw.messages("+6281200000003")) == 5)


if __name__ == "__main__":
    sys.exit(gateway.run_tests([test_open_dialogs_are_run_on_new_code], sys.argv[1]))
