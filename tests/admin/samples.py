"""What the fake control plane answers with."""

from __future__ import annotations

from otari_daemon.protocol import messages as m

AT = "2026-11-22T14:03:11.482Z"

ROW = m.UsageRow(
    request_id="req_1",
    id="u_1",
    api_key_id="k_1",
    key_name="ci",
    user_id="ana",
    timestamp=AT,
    model="gpt-5.6",
    provider="openai",
    endpoint="/v1/chat/completions",
    prompt_tokens=21_300,
    completion_tokens=611,
    total_tokens=21_911,
    cost=0.0186,
    cost_usd="0.0186",
    held_usd="0.412",
    status="success",
    error_message=None,
    reason="usage",
    stream=True,
    status_code=200,
    first_byte_ms=604.0,
    duration_ms=3900.0,
)
REFUSAL = m.Refusal(
    "req_9",
    AT,
    "k_1",
    "ci",
    "ana",
    "gpt-5.6",
    "/v1/chat/completions",
    403,
    "budget_exceeded",
    "no room in ci",
)
STATUS = m.Status(
    version="0.1.0",
    protocol="1",
    pid=7,
    uptime_s=61.0,
    generation=3,
    config_digest="sha256:0123456789",
    config_source="/etc/otari/config.yml",
    listen="127.0.0.1:8000",
    admin_socket="/run/otari/admin.sock",
    database="sqlite",
    ledger_available=True,
    ledger_backlog=0,
    in_flight=1,
    open_holds=1,
    held_usd="0.412",
    requests_total=12,
    providers=(m.ProviderInfo("mock", "mock", mock=True),),
    mock=True,
)
PRICE = m.PriceInfo(
    "up:a/b", AT, 3.0, 15.0, AT, AT, "database", True, "3.00", "15.00", "0.30", "3.00", "15.00"
)
EXPLAINED = m.Explanation(
    "req_1",
    AT,
    "settled",
    "the provider said what was used, and that is charged",
    "/v1/chat/completions",
    "k_1",
    "ci",
    "ana",
    "up:a",
    "up",
    True,
    200,
    "usage",
    m.HoldExplained("0.1863", 21_300, 8_160, "3.00", "15.00", "0.00", True),
    (m.CeilingExplained("b_1", "ci", "key:ci", "20.00", "18.22", "0.77", "0.00", AT, True),),
    m.ChargeExplained(
        (
            m.ChargeLine("input", 1_102, "3.00", "0.003306"),
            m.ChargeLine("output", 611, "15.00", "0.009165"),
        ),
        "0.00",
        "0.012471",
        "0.012471",
        "0.00",
    ),
    m.PriceExplained("up:a", "database", AT),
    604.0,
    3900.0,
)

REPRICED = m.RepriceReport(
    (m.RepricedModel("up:a", 3, 1, 1, "0.30", "0.27", "-0.03"),),
    *(3, "0.30", "0.27", "-0.04", "0.01"),
    *(0, 1, 0, 0, 0),
)
SIMULATED = m.Simulation(
    *(AT, AT, 3, 1, AT, "0.30", "0.20", 1),
    (m.SimulatedHolder("key:ci", 3, 1, AT, "0.30", "0.20"),),
    *((m.RefusedCount("ci", 1),), (m.RefusedCount("ana", 1),), "2026-11-22", 1, 2, True, 12),
)
RECONCILED = m.ReconcileReport(
    *(2, 1, 1, "0.30", "0.27"),
    (m.Difference("differs", "up:a", "2026-11-22", "req_1", 1, "0.20", "0.17", "-0.03"),),
    *(0, 0),
)
