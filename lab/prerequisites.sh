# Sourced by ./test, ./demo and bench/run: finds out what is missing on a Debian or Ubuntu machine, and gets it.
# The system's sshd is never started, nor switched on for the next boot: we want the program, not an open port 22.
# shellcheck shell=bash

# Debian keeps these off an ordinary user's PATH.
PATH="$PATH:/usr/local/sbin:/usr/sbin:/sbin"
export PATH

# What is looked for, and the package that has it.
PREREQUISITES="ssh:openssh-client ssh-keygen:openssh-client sshd:openssh-server openssl:openssl nft:nftables conntrack:conntrack
rsync:rsync sudo:sudo newusers:passwd
ip:iproute2 pkill:procps setpriv:util-linux nsenter:util-linux ping:iputils-ping tayga:tayga libsqlite3.so.0:libsqlite3-0 aws:awscli cloud-init:cloud-init"

# For the tests that install the packages into a whole Debian.
# shellcheck disable=SC2034
CONTAINER_PREREQUISITES="debootstrap:debootstrap systemd-nspawn:systemd-container dh:debhelper dpkg-buildpackage:dpkg-dev pgrep:procps"

say() { printf '%s\n' "$*"; }

# have NAME: a program on the PATH, or a shared library that the loader knows.
have() {
  case $1 in
    *.so.*) ldconfig -p 2>/dev/null | grep -qF "$1" || ls /usr/lib/*/"$1" /usr/lib/"$1" >/dev/null 2>&1 ;;
    *) [ -x "$(command -v "$1" 2>/dev/null)" ] ;;
  esac
}

# missing_packages [NAME:PACKAGE...]: the packages to get, one a line. Without arguments: everything.
missing_packages() {
  local pair
  for pair in ${*:-$PREREQUISITES}; do
    have "${pair%%:*}" || say "${pair##*:}"
  done | sort -u
}

POLICY=/usr/sbin/policy-rc.d
POLICY_KEPT=$POLICY.before-bastion
POLICY_MARK='# bastion: nothing is started while its prerequisites are installed'

# While this file says 101 no package may start its service. A killed run is mended by the next one.
forbid_services() {
  restore_services
  [ -e "$POLICY" ] && mv "$POLICY" "$POLICY_KEPT"
  printf '#!/bin/sh\n%s\nexit 101\n' "$POLICY_MARK" > "$POLICY" && chmod 755 "$POLICY"
}

restore_services() {
  grep -qsF "$POLICY_MARK" "$POLICY" && rm -f "$POLICY"
  [ -e "$POLICY_KEPT" ] && [ ! -e "$POLICY" ] && mv "$POLICY_KEPT" "$POLICY"
  return 0
}

# install_packages PACKAGE...: as root, by apt. A signal cannot leave the services forbidden.
install_packages() (
  trap restore_services EXIT
  trap 'exit 130' INT TERM HUP
  forbid_services || exit 1
  export DEBIAN_FRONTEND=noninteractive
  get() { apt-get install -y -q --no-install-recommends "$@" </dev/null; }
  # We want its schema; a machine that meets cloud-init at its next boot would be set up anew.
  case " $* " in *' cloud-init '*) mkdir -p /etc/cloud && touch /etc/cloud/cloud-init.disabled ;; esac
  # The lists of a fresh container are empty: asked for only when they are needed.
  get "$@" >/dev/null 2>&1 || { apt-get update -q && get "$@"; } || exit 1
  case " $* " in
    *' openssh-server '*)
      if command -v systemctl >/dev/null 2>&1; then
        systemctl disable ssh.service ssh.socket >/dev/null 2>&1 || true
      fi
      say "  openssh-server was installed; its service is neither started nor enabled (systemctl enable --now ssh)" ;;
  esac
)

# get_prerequisites [NAME:PACKAGE...]: 0 when nothing is missing any more. Says what it does, and what could not be had.
get_prerequisites() {
  local packages
  packages=$(missing_packages "$@" | tr '\n' ' ')
  packages=${packages% }
  [ -z "$packages" ] && return 0
  if [ "$(id -u)" != 0 ]; then
    say "missing: $packages"
    say "  to get it: sudo apt-get install --no-install-recommends $packages"
    return 1
  fi
  if ! command -v apt-get >/dev/null 2>&1; then
    say "missing: $packages (and there is no apt-get here: install them by your system's own means)"
    return 1
  fi
  say "getting: $packages"
  # shellcheck disable=SC2086
  install_packages $packages || { say "could not install: $packages"; return 1; }
}

# need_dotnet: puts a .NET SDK that satisfies global.json on the PATH, or says how to get one.
need_dotnet() {
  export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_SKIP_FIRST_TIME_EXPERIENCE=1 MSBUILDDISABLENODEREUSE=1
  if [ -z "${HOME:-}" ] || [ ! -w "${HOME:-/}" ]; then
    DOTNET_CLI_HOME=${TMPDIR:-/tmp}/bastion-dotnet-$(id -u)
    mkdir -p "$DOTNET_CLI_HOME" && chmod 700 "$DOTNET_CLI_HOME"
    export DOTNET_CLI_HOME HOME="$DOTNET_CLI_HOME"
  fi
  command -v dotnet >/dev/null 2>&1 || { [ -x "$HOME/.dotnet/dotnet" ] && PATH="$HOME/.dotnet:$PATH"; }
  if ! command -v dotnet >/dev/null 2>&1; then
    say "the .NET 10 SDK is missing. Next step: https://dot.net/download (Debian, Ubuntu: package dotnet-sdk-10.0), then run this again"
    return 1
  fi
  local version
  if ! version=$(cd "$ROOT" && dotnet --version 2>&1); then
    say "no .NET SDK here fits global.json (10.0.1xx or later). Next step: install package dotnet-sdk-10.0, then run this again"
    return 1
  fi
  say ".NET SDK $version"
}

CHILD=

# run COMMAND...: in a session of its own, so that stop_child reaches everything it has started.
run() {
  setsid "$@" </dev/null &
  CHILD=$!
  wait "$CHILD"
  local code=$?
  CHILD=
  return $code
}

stop_child() {
  [ -n "$CHILD" ] || return 0
  kill -TERM -- "-$CHILD" 2>/dev/null
  local i
  for ((i = 0; i < 50; i++)); do
    kill -0 -- "-$CHILD" 2>/dev/null || break
    sleep 0.1
  done
  kill -KILL -- "-$CHILD" 2>/dev/null
  CHILD=
}

# build CONFIGURATION [PROJECT]: restores exactly what the lock files say, then builds once. No build server stays behind.
build() {
  local target=${2:-$ROOT/Bastion.sln}
  run dotnet restore "$target" --locked-mode -v q || { say "restore failed (see above)"; return 1; }
  run dotnet build "$target" -c "$1" --no-restore -v q --nologo -p:UseSharedCompilation=false -clp:NoSummary || { say "build failed (see above)"; return 1; }
}
