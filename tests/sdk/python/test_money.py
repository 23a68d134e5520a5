"""The balance goes down by exactly what the answers said."""

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal

from conftest import MODEL, exact


def whole(client, number):
    raw = client.chat.completions.with_raw_response.create(
        model=MODEL,
        messages=[{"role": "user", "content": f"Question {number}"}],
        max_tokens=200 + number,
    )
    return exact(raw.text)["usage"]["cost"]


def streamed(client, number):
    with client.chat.completions.with_streaming_response.create(
        model="anthropic/claude-haiku-4.5",
        messages=[{"role": "user", "content": f"Question {number}"}],
        max_tokens=200 + number,
        stream=True,
    ) as answer:
        lines = [line[6:] for line in answer.iter_lines() if line.startswith("data: {")]
    costs = [chunk["usage"]["cost"] for chunk in map(exact, lines) if "usage" in chunk]
    assert len(costs) == 1
    return costs[0]


def test_the_balance_goes_down_by_the_sum_of_the_costs(new_customer):
    customer = new_customer("5.00")
    jobs = [(whole, number) for number in range(12)] + [(streamed, number) for number in range(8)]
    with ThreadPoolExecutor(8) as pool:
        costs = list(pool.map(lambda job: Decimal(job[0](customer.client, job[1])), jobs))
    assert all(cost > 0 for cost in costs)
    balance = customer.session.settled_balance()
    assert Decimal("5.00") - Decimal(balance["balance_usd"]) == sum(costs)
    assert Decimal(balance["lifetime_spent_usd"]) == sum(costs)
    assert balance["available_usd"] == balance["balance_usd"]


def test_a_refused_request_costs_nothing(new_customer):
    customer = new_customer("1.00")
    for fault in ["status=500", "status=429", "padded-error"]:
        try:
            customer.client.chat.completions.create(
                model=MODEL,
                messages=[{"role": "user", "content": "Hello"}],
                max_tokens=100,
                extra_headers={"X-Sandbox-Fault": fault},
            )
            raise AssertionError(f"{fault} was answered")
        except Exception as error:
            assert getattr(error, "status_code", 0) in (429, 502), repr(error)
    assert Decimal(customer.session.settled_balance()["balance_usd"]) == Decimal("1.00")
