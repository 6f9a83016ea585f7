"""`GET /`: what this is, for whoever opens it in a browser."""

from __future__ import annotations

from falcon.asgi import Request, Response

PAGE = b"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>otari</title><style>
body{font:16px/1.5 ui-monospace,monospace;max-width:46rem;margin:3rem auto;padding:0 1rem}
body{color:#1c2630;background:#fbfaf7}h1{letter-spacing:.05em}
pre{background:#10212b;color:#e8f1ee;padding:1rem;overflow-x:auto;border-radius:6px}
</style></head><body><h1>otari</h1>
<p>An LLM gateway for people who live in a terminal. It speaks the OpenAI API here; point a client at it:</p>
<pre>from openai import OpenAI

client = OpenAI(base_url="http://localhost:8000/v1", api_key="gw-...")
answer = client.chat.completions.create(
    model="mock:echo", messages=[{"role": "user", "content": "hello"}]
)
print(answer.choices[0].message.content)</pre>
<p>A key is made in a terminal on this machine:</p>
<pre>otari keys create ci --budget 5/day</pre>
</body></html>
"""


class HomeResource:
    """The page; the same for everybody, and it asks nothing from outside."""

    async def on_get(self, req: Request, resp: Response) -> None:  # noqa: ARG002 - falcon's signature
        """Serve it."""
        resp.content_type = "text/html; charset=utf-8"
        resp.data = PAGE
        resp.set_header("content-security-policy", "default-src 'none'; style-src 'unsafe-inline'")
