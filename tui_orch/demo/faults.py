"""The errors of the Messages API that Claude Code tells apart, ready to be put on a ``Turn``; data only."""

from tui_orch.demo.script import ApiError


def usage_limit(resets_at_s: int, claim: str = "five_hour", times: int | None = 1) -> ApiError:
    """A subscription's usage limit, which resets at ``resets_at_s`` (unix seconds).

    Claude Code reports it as a ``RateLimitEvent`` only with ``CLAUDE_CODE_OAUTH_TOKEN``; with an API key it
    is a plain 429.
    """
    headers = {
        "anthropic-ratelimit-unified-status": "rejected",
        "anthropic-ratelimit-unified-reset": str(resets_at_s),
        "anthropic-ratelimit-unified-representative-claim": claim,
    }
    return ApiError(429, "rate_limit_error", "This account's usage limit is reached.", headers, times)


def rate_limited(times: int | None = 1) -> ApiError:
    """429: too many requests just now."""
    return ApiError(429, "rate_limit_error", "Too many requests.", None, times)


def overloaded(times: int | None = 1) -> ApiError:
    """529: the API is overloaded."""
    return ApiError(529, "overloaded_error", "Overloaded.", None, times)


def server_error(times: int | None = 1) -> ApiError:
    """500: the API failed."""
    return ApiError(500, "api_error", "Internal server error.", None, times)


def unauthorized(times: int | None = None) -> ApiError:
    """401: the key is wrong. It stays wrong unless ``times`` says otherwise."""
    return ApiError(401, "authentication_error", "invalid x-api-key", None, times)
