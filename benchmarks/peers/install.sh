#!/bin/sh
# Puts the peers into build/peers (Python ones, a virtual environment of their own; .venv stays lean) and, for root on
# Debian, the others from its packages. What can't be had is said and skipped; run it again at any time.
#   sh benchmarks/peers/install.sh [PYTHON]
cd "$(dirname "$0")/../.." || exit 1
python=${1:-python3}
peers=build/peers
[ -x "$peers/bin/python" ] || "$python" -m venv "$peers" || exit 1

for package in litequeue huey 'dramatiq[redis]' rq 'procrastinate psycopg[binary]' 'celery[redis]' distributed ray 'prefect fastapi<0.120'; do
    # shellcheck disable=SC2086 # one line may name what a peer needs too
    if timeout 400 "$peers/bin/pip" install --quiet --disable-pip-version-check $package; then
        echo "there: $package"
    else
        echo "not to be had: $package"
    fi
done

for package in parallel task-spooler redis-server postgresql make; do
    if dpkg -s "$package" > /dev/null 2>&1; then
        echo "there: $package"
    elif [ "$(id -u)" = 0 ] && apt-get install --quiet --quiet --yes --no-install-recommends "$package" > /dev/null; then
        echo "there: $package"
    else
        echo "not to be had: $package (apt-get install $package, as root)"
    fi
done
