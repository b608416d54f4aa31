"""The field names of OpenTelemetry and ECS."""

import pytest

from shared.observability import (
    configure_logging,
    get_logger,
)


@pytest.mark.parametrize("schema", ["otel", "ecs"])
def test_schemas(new_lines, schema):
    stream = new_lines()
    configure_logging(output=stream, schema=schema, service="shop")
    try:
        raise OSError("disk")
    except OSError:
        get_logger("x").exception("failed", order_id=7)
    line = stream.last()
    if schema == "ecs":
        assert (line["log.level"], line["message"], line["service.name"]) == (
            "error",
            "failed",
            "shop",
        )
        assert (line["error.type"], line["error.message"], line["order_id"]) == (
            "OSError",
            "disk",
            7,
        )
        assert line["@timestamp"].endswith("Z")
        assert "ecs.version" in line
    else:
        assert (line["SeverityText"], line["SeverityNumber"], line["Body"]) == (
            "ERROR",
            17,
            "failed",
        )
        assert line["Resource"] == {"service.name": "shop"}
        assert line["InstrumentationScope"] == {"Name": "x"}
        assert line["Attributes"]["exception.type"] == "OSError"
        assert line["Attributes"]["order_id"] == 7
