"""`replayproxy catalog`: import, list, show."""

from __future__ import annotations

import json
import re
import stat
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from replayproxy import openai_api
from replayproxy.cli import cli
from replayproxy.cli.catalog_files import catalog_form
from replayproxy.cli.operation_text import operation_lines, with_definitions
from replayproxy.core.catalog_form import read_catalog

SPEC = """\
openapi: 3.1.0
info: {title: Pets, version: "1"}
paths:
  /pets:
    get:
      operationId: listPets
      tags: [Pets]
      parameters:
        - {name: limit, in: query, schema: {type: integer, minimum: 1, maximum: 100}}
        - {name: x-trace, in: header, schema: {type: string, maxLength: 1, minLength: 1}}
      responses:
        200:
          content:
            application/json:
              schema: {type: array, maxItems: 1, items: {$ref: "#/components/schemas/Pet"}}
    post:
      operationId: createPet
      tags: [Pets]
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: "#/components/schemas/Pet"}}}
      responses:
        200:
          content: {text/event-stream: {schema: {$ref: "#/components/schemas/Pet"}}}
        204: {description: nothing}
  /toys/{toy_id}:
    parameters:
      - {name: toy_id, in: path, required: true, schema: {type: string, pattern: "^toy_"}}
    get:
      operationId: getToy
      tags: [Toys]
      deprecated: true
      x-replayproxy: {off: 2026-08-26, beta: toys=v1, frozen: true}
      responses: {}
components:
  schemas:
    Base: &shared {type: string, enum: [no, on, 2026-01-01, 1.0]}
    Pet:
      type: object
      required: [kind, age]
      additionalProperties: false
      properties:
        kind: {<<: *shared}
        friends: {type: array, minItems: 1, uniqueItems: true, items: {$ref: "#/components/schemas/Pet"}}
        toy: {anyOf: [{type: string, minLength: 1}, {type: "null"}]}
        food:
          anyOf:
            - {type: number, exclusiveMinimum: 0, multipleOf: 5}
            - {type: object, properties: {name: {const: fish}}, additionalProperties: {type: boolean}}
        any: {}
"""
OVERLAY = """\
overlay: 1.0.0
info: {title: Corrections, version: "1"}
actions:
  - target: $.info
    update: {version: "2"}
"""


def run(*arguments: object) -> Result:
    """The command's result."""
    return CliRunner().invoke(cli, ["catalog", *map(str, arguments)])


@pytest.fixture
def spec(tmp_path: Path) -> Path:
    """An OpenAPI file."""
    return write(tmp_path / "openapi.yaml", SPEC)


@pytest.fixture
def made(tmp_path: Path, spec: Path) -> Path:
    """The catalog made from it."""
    path = tmp_path / "catalog.json"
    assert run("import", spec, "-o", path).exit_code == 0
    return path


def write(path: Path, text: str) -> Path:
    """A file with a text."""
    path.write_text(text, "utf-8")
    return path


class TestImport:
    """What becomes of an OpenAPI file."""

    def test_a_file_is_written_whole_and_its_use_told(self, spec: Path, tmp_path: Path) -> None:
        """Standard output stays empty; the catalog can be read and is for everybody."""
        path = tmp_path / "catalog.json"
        result = run("import", spec, "-o", path)
        assert (result.exit_code, result.stdout) == (0, "")
        assert result.stderr == (
            f"3 operations in 2 families, 1 schema, 2 KB\nUse it with `catalog: {path}` in replayproxy.yaml.\n"
        )
        assert [operation.id for operation in read_catalog(path.read_bytes())] == ["listPets", "createPet", "getToy"]
        assert stat.S_IMODE(path.stat().st_mode) == 0o644
        assert sorted(each.name for each in tmp_path.iterdir()) == ["catalog.json", "openapi.yaml"]

    def test_without_a_file_it_goes_to_standard_output(self, spec: Path, made: Path) -> None:
        """The same bytes."""
        result = run("import", spec)
        assert result.stdout == made.read_text("utf-8")
        assert result.stderr.splitlines() == ["3 operations in 2 families, 1 schema, 2 KB"]

    def test_json_is_read_as_well(self, tmp_path: Path, made: Path) -> None:
        """Whatever the file is called."""
        document = {"openapi": "3.0.0", "info": {"title": "T", "version": "1"}, "paths": {}}
        result = run("import", write(tmp_path / "a.txt", json.dumps(document)))
        assert (result.exit_code, json.loads(result.stdout)["operations"]) == (0, [])

    def test_texts_of_yaml_stay_texts(self, made: Path) -> None:
        """`no`, `on` and dates are no booleans and dates, and numbers are numbers; anchors and merges are honoured."""
        pet = json.loads(made.read_text("utf-8"))["$defs"]["Pet"]
        assert pet["properties"]["kind"]["enum"] == ["no", "on", "2026-01-01", 1.0]

    def test_overlays_correct_it(self, spec: Path, tmp_path: Path) -> None:
        """One after the other."""
        overlays = [write(tmp_path / f"{number}.yaml", OVERLAY.replace('"2"', f'"{number}"')) for number in (2, 3)]
        result = run("import", spec, "--overlay", overlays[0], "--overlay", overlays[1])
        assert json.loads(result.stdout)["version"] == "3"

    def test_a_catalog_is_replaced_and_keeps_its_mode(self, spec: Path, made: Path) -> None:
        """As is an empty file."""
        made.chmod(0o600)
        for text in ('{"catalog": 0}', ""):
            made.write_text(text)
            assert run("import", spec, "-o", made).exit_code == 0
            assert len(read_catalog(made.read_bytes())) == 3
        assert stat.S_IMODE(made.stat().st_mode) == 0o600

    @pytest.mark.parametrize("text", ["a: 1\n", "[]", '{"paths": {}}', "x"])
    def test_what_is_no_catalog_is_not_overwritten(self, spec: Path, tmp_path: Path, text: str) -> None:
        """The OpenAPI file itself, say."""
        path = write(tmp_path / "precious", text)
        result = run("import", spec, "-o", path)
        assert result.exit_code == 2
        assert "precious is there and is no catalog, so it stays as it is" in result.stderr
        assert path.read_text() == text

    def test_a_folder_that_is_not_there(self, spec: Path, tmp_path: Path) -> None:
        """It is no place for a file."""
        result = run("import", spec, "-o", tmp_path / "none" / "catalog.json")
        assert result.exit_code == 2
        assert "catalog.json: cannot be written: No such file or directory; check the folder" in result.stderr

    @pytest.mark.parametrize(
        ("text", "told"),
        [
            ("", "openapi.yaml: this is no OpenAPI file: it holds nothing"),
            ("- a", "openapi.yaml: this is no OpenAPI file: it holds a list"),
            ("a", "openapi.yaml: this is no OpenAPI file: it holds a plain value"),
            ("swagger: '2.0'", "openapi.yaml: This is no OpenAPI 3 document, but a Swagger 2 file"),
            ("openapi: 3.1.0\na: ]", "openapi.yaml:2: this is not YAML"),
            ("\n{\n'a'}", "openapi.yaml:3: this is not JSON"),
            ("a: !!python/name:os.system x", "openapi.yaml:1: this is not YAML: could not determine a constructor"),
            ("? [a]\n: 1", "openapi.yaml:1: this is not YAML: found unhashable key"),
            ("a: \x01", "openapi.yaml: this is not YAML"),
            ("a: \udcff", "openapi.yaml: this is not UTF-8"),
            ("[" * 100_000, "openapi.yaml:1: nested deeper than 150 levels"),
        ],
    )
    def test_what_is_no_openapi_file_is_told(self, tmp_path: Path, text: str, told: str) -> None:
        """With file and line, and nothing on standard output."""
        path = tmp_path / "openapi.yaml"
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        result = run("import", path)
        assert (result.exit_code, result.stdout) == (2, "")
        assert told in result.stderr

    def test_a_file_that_is_not_there(self, tmp_path: Path) -> None:
        """No traceback."""
        result = run("import", tmp_path / "none.yaml")
        assert result.exit_code == 2
        assert "none.yaml: cannot be read: No such file or directory" in result.stderr

    def test_the_overlay_at_fault_is_named(self, spec: Path, tmp_path: Path) -> None:
        """Not the description, and not the one before it."""
        good = write(tmp_path / "good.yaml", OVERLAY)
        bad = write(tmp_path / "bad.yaml", OVERLAY.replace("$.info", "$.nothing"))
        result = run("import", spec, "--overlay", good, "--overlay", bad)
        assert result.exit_code == 2
        assert "bad.yaml: overlay#/actions/0: the target '$.nothing' is not in the document" in result.stderr

    def test_a_description_at_fault_is_named(self, tmp_path: Path) -> None:
        """Although there is an overlay."""
        path = write(tmp_path / "openapi.yaml", SPEC.replace("getToy", "listPets"))
        result = run("import", path, "--overlay", write(tmp_path / "good.yaml", OVERLAY))
        assert result.exit_code == 2
        assert result.stderr.startswith(f"Error: {path}: #/paths/")


class TestList:
    """The operations of an API."""

    def test_the_shipped_catalog_is_listed(self) -> None:
        """Title, version and date first, then every operation."""
        lines = run("list").stdout.splitlines()
        known = openai_api.catalog()
        assert lines[0].startswith(f"{known.title} {known.version}")
        assert lines[0].endswith(f"{len(known)} operations in {len(known.families)} families")
        assert lines[2].split() == ["FAMILY", "OPERATION", "METHOD", "PATH", "MARKS"]
        assert len(lines) == len(known) + 3
        assert any("createMessage" in line and "/threads/{thread_id}/messages" in line for line in lines)

    def test_marks_and_families(self, made: Path) -> None:
        """A catalog of one's own, a family of it."""
        lines = run("list", "--catalog", made, "--family", "toys").stdout.splitlines()
        assert lines[0] == "Pets 1: 3 operations in 2 families"
        assert [" ".join(line.split()) for line in lines[3:]] == [
            "toys getToy GET /toys/{toy_id} deprecated, off since 2026-08-26"
        ]

    def test_json_has_every_fact_of_the_table(self, made: Path) -> None:
        """One object for each operation."""
        rows: list[dict[str, Any]] = json.loads(run("list", "--catalog", made, "--json").stdout)
        assert rows[2] == {
            "family": "toys",
            "id": "getToy",
            "method": "GET",
            "path": "/toys/{toy_id}",
            "query": {},
            "stream": False,
            "beta": "toys=v1",
            "deprecated": True,
            "off": "2026-08-26",
        }

    def test_streams_and_fixed_queries_are_told(self, tmp_path: Path) -> None:
        """A path may have operations that its query tells apart."""
        form = json.loads((made_by_hand(tmp_path)).read_text())
        form["operations"][0]["query"] = {"beta": "true"}
        path = write(tmp_path / "c.json", json.dumps(form))
        assert "/a?beta=true  stream" in run("list", "--catalog", path).stdout
        assert "sayIt: POST /a?beta=true\n" in run("show", "sayIt", "--catalog", path).stdout

    def test_an_unknown_family_is_met_with_the_nearest(self, made: Path) -> None:
        """And exit status 2."""
        result = run("list", "--family", "Toy", "--catalog", made)
        assert result.exit_code == 2
        assert "there is no family 'Toy'; did you mean 'toys'? All of them" in result.stderr

    def test_a_file_that_is_no_catalog(self, spec: Path) -> None:
        """It is named, with the cure."""
        result = run("list", "--catalog", spec)
        assert result.exit_code == 2
        assert f"{spec}: this is no catalog" in result.stderr
        assert "replayproxy catalog import" in result.stderr


def made_by_hand(tmp_path: Path) -> Path:
    """A catalog with a stream, as somebody might write it."""
    operation = {
        "id": "sayIt",
        "method": "POST",
        "path": "/a",
        "family": "a",
        "body": {"content": {"application/json": {"oneOf": [True, False, {"$ref": "#/$defs/None"}]}}},
        "stream": {
            "key": "type",
            "events": {"a.begin": {"$ref": "#/$defs/A"}, "a.end": {"$ref": "#/$defs/A"}},
            "done": True,
            "first": ["a.begin"],
            "last": ["a.end", "error"],
            "sequence": "n",
            "after": {"a.end": "a.begin"},
        },
    }
    deep: Any = {"type": "string"}
    for _ in range(60):
        deep = {"type": "array", "items": {"properties": {"a": deep}}}
    fields = {"deep": deep, "e": {"enum": [*range(50)]}}
    shape = {"type": ["object", "null"], "required": ["x"], "minProperties": 1, "properties": fields}
    form = {"catalog": 1, "operations": [operation], "$defs": {"A": shape}}
    return write(tmp_path / "hand.json", json.dumps(form))


class TestShow:
    """All that is known of one operation."""

    def test_a_body_is_a_tree(self, made: Path) -> None:
        """Types, stars, enums, limits; recursion is cut."""
        text = run("show", "createPet", "--catalog", made).stdout
        assert (
            text
            == """\
Pets 1: 3 operations in 2 families

createPet: POST /pets
family pets

Body* as application/json: Pet: object
  kind*  "no" | "on" | "2026-01-01" | 1.0
  friends  array, at least 1 item, no item twice, of Pet, see above
  toy  string or null, at least 1 character
  food  one of
    - number, > 0, a multiple of 5
    - object
      name  "fish"
      (any name)  boolean
  any  anything
  age*  anything

Answer 200: no body described

Answer 204: no body described

Stream of events without names
  data  Pet, see above
"""
        )

    def test_parameters_and_answers_are_told(self, made: Path) -> None:
        """By place, and by status."""
        text = run("show", "listPets", "--catalog", made).stdout
        assert "\nQuery\n  limit  integer, 1 to 100\n" in text
        assert "\nHeaders\n  x-trace  string, 1 to 1 characters\n" in text
        assert "\nAnswer 200 as application/json: array, at most 1 item, of Pet: object\n  kind*" in text

    def test_facts_beside_the_schemas_are_told(self, made: Path) -> None:
        """Family, header, and whether it is still there."""
        assert run("show", "getToy", "--catalog", made).stdout.splitlines()[3:] == [
            "family toys; takes the header OpenAI-Beta: toys=v1; refuses unknown fields; deprecated; "
            "off since 2026-08-26",
            "",
            "Path",
            "  toy_id*  string, like ^toy_",
        ]

    def test_a_stream_is_told(self, tmp_path: Path) -> None:
        """How it begins, goes on and ends; a schema that is odd or deep does no harm."""
        text = run("show", "sayIt", "--catalog", made_by_hand(tmp_path)).stdout
        assert "Body as application/json: anything or nothing\n" in text
        assert (
            "Stream of events named by their field type\n  begins with a.begin\n  ends with a.end or error\n"
            "  counted by n\n  a.end comes after a.begin\n  then data [DONE]\n"
            "  a.begin  A: object or null, at least 1 key\n"
        ) in text
        assert "  a.end  A, see above\n" in text
        assert " | 39 | 10 more\n" in text
        assert "…\n" in text

    def test_json_has_the_definitions_that_it_needs(self, made: Path) -> None:
        """And no others."""
        form = json.loads(run("show", "createPet", "--catalog", made, "--json").stdout)
        assert (form["id"], list(form["$defs"])) == ("createPet", ["Pet"])
        assert json.loads(run("show", "getToy", "--catalog", made, "--json").stdout)["$defs"] == {}

    def test_an_unknown_operation_is_met_with_the_nearest(self) -> None:
        """And exit status 2."""
        result = run("show", "createmesage")
        assert result.exit_code == 2
        assert "there is no operation 'createmesage'; did you mean 'createMessage'" in result.stderr
        assert "there is no operation 'zzz'. All of them" in run("show", "zzz").stderr

    def test_every_operation_can_be_shown(self) -> None:
        """In lines that begin with its name, with all definitions that it refers to."""
        form = catalog_form(None)
        for operation in form["operations"]:
            assert operation_lines(operation, form["$defs"])[0].startswith(
                f"{operation['id']}: {operation['method']} /"
            )
            needed = with_definitions(operation, form["$defs"])
            referred = set(re.findall(r'"#/\$defs/([^"]+)"', json.dumps(needed)))
            assert needed["$defs"].keys() == referred


@pytest.mark.parametrize("command", ["", "import", "list", "show"])
def test_help_has_examples(command: str) -> None:
    """Each command says how it is used."""
    assert "Examples:\n" in run(*command.split(), "--help").output
