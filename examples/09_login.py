"""Show the account; log in with an API key if there is one, else in the browser."""

import os

from openai_codex import Codex, LoginTimeoutError

with Codex() as codex:
    if codex.account().account is None and (key := os.environ.get("EXAMPLE_API_KEY")):
        codex.login_api_key(key)
    elif codex.account().account is None:
        login = codex.login_chatgpt()
        print("Open this address in a browser:", login.auth_url)
        try:
            completed = login.wait(timeout=float(os.environ.get("EXAMPLE_PATIENCE", "300")))
            print("logged in" if completed.success else f"not logged in: {completed.error}")
        except LoginTimeoutError:
            print("giving up:", login.cancel().status)
    print("account:", codex.account().account)
