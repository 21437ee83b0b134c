# Sourced by lab/net: what can go wrong, by name. Every fault that is on has an nft table called fault_NAME in the provider's part that
# it belongs to, if only as a mark: so the kernel alone knows what is on, and nothing has to be remembered.
# shellcheck shell=bash disable=SC2154

FAULTS="primary-down backup-down primary-carrier backup-carrier isp-only one-way loss rate delay nat-rebind reset dns-dead dns-hijack
portal address-change v6-only fall-over power-cut"

FIBRE_ADDRESS_LATER=198.51.100.20
FIBRE_GATEWAY_LATER=198.51.100.2
BACKUP_PUBLIC_LATER=203.0.113.13
LIAR_PORT=5399
SLOW_TABLE=77

usage_faults() {
  cat <<'USAGE'
faults (LINE is primary or backup; primary unless said). Each may be set again with other arguments, and any number may be on at once
  primary-down               the line is a black hole, both ways; the carrier stays
  backup-down                the same on the backup
  primary-carrier            the modem's cable falls out (wiring B and C: the router's)
  backup-carrier             the same on the backup
  isp-only                   isp1 answers, but has lost the world
  one-way up|down [LINE]     only this direction is lost
  loss PERCENT [LINE]        each way
  rate MBIT [LINE]           each way
  delay MS [JITTER] [LINE]   longer round trips, by a userspace queue (needs /dev/net/tun and a built lab)
  nat-rebind polite          isp2 forgets its connections; the next packet leaves from another port, the server resets it
  nat-rebind silent          isp2 forgets, and swallows what it does not know
  reset [LINE]               every TCP connection gets a reset
  dns-dead [LINE]            port 53 is a black hole
  dns-hijack [LINE]          the provider answers every question itself, always with its portal's address (198.51.100.80)
  portal [refused] [LINE]    a captive portal: DNS lies, HTTP is sent to a page, TLS shows the portal's certificate (or is refused)
  address-change [LINE]      primary: another address and gateway, as by DHCP; backup: the carrier's public address changes
  v6-only [nat64]            the backup has IPv6 only (wiring A); nat64: and the carrier translates 2001:db8:64:ff9b::/96 (needs tayga)
  fall-over                  the primary dies, and the router sends its traffic by the backup at once (wiring B and C)
  power-cut                  both modems and the router are off; what is plugged into them loses its carrier
  power-cut returned         the power is back: carriers are there, the backup works, the primary's line is still dead
USAGE
}

# has PART NAME: is this fault on there?
has() { inside "$1" nft list table inet "fault_$(table_name "$2")" >/dev/null 2>&1; }
mark() { inside "$1" nft add table inet "fault_$(table_name "$2")"; }
table_name() { echo "$1" | tr - _; }

faults() {
  local part
  for part in isp1 isp2; do
    inside "$part" nft list tables | sed -n 's/^table [a-z]* fault_//p' | tr _ -
  done | sort -u
}

isp() {
  case ${1:-primary} in
    primary) echo isp1 ;;
    backup) echo isp2 ;;
    *) usage_error "primary or backup, not $1" ;;
  esac
}

whole() {
  case $1 in ''|*[!0-9]*) usage_error "a whole number from $2 to $3, not '$1'" ;; esac
  [ "$1" -ge "$2" ] && [ "$1" -le "$3" ] || usage_error "a whole number from $2 to $3, not $1"
}

# drop_table PART NAME: reads "HOOK RULE" lines, makes the fault's table. A rule without a verdict drops.
drop_table() {
  local part=$1 hook rule chains=0 text="table inet fault_$(table_name "$2") {"$'\n'
  while read -r hook rule; do
    case $rule in *drop*|*reject*) ;; *) rule="$rule drop" ;; esac
    chains=$((chains + 1))
    text+="  chain ${hook}_$chains {"$'\n'"    type filter hook $hook priority -200; policy accept;"$'\n'"    $rule"$'\n'"  }"$'\n'
  done
  printf '%s}\n' "$text" | rules "$part"
}

fault() {
  local name=${1:-} part
  [ -n "$name" ] || usage_error "fault: which?"
  known "$name"
  need_up
  shift
  # What is wrong with the arguments, or with this machine, is said before anything changes.
  part=$(fault_part "$name" "$@")
  # When the power returns nothing works for a moment first.
  [ "$name ${1:-}" = "power-cut returned" ] || clear_fault "$name"
  # shellcheck disable=SC2064
  trap "clear_fault $name" EXIT
  mark "$part" "$name"
  case $name in
    primary-down|backup-down) black_hole "$part" "$name" ;;
    primary-carrier|backup-carrier) settle_carriers ;;
    isp-only) printf 'forward iifname "cust"\nforward oifname "cust"\n' | drop_table "$part" "$name" ;;
    one-way) if [ "$1" = up ]; then echo 'forward iifname "cust"'; else echo 'forward oifname "cust"'; fi | drop_table "$part" "$name" ;;
    loss) printf 'forward %s "cust" numgen random mod 100 < %s\n' iifname "$1" oifname "$1" | drop_table "$part" "$name" ;;
    rate) for interface in core cust; do inside "$part" tc qdisc replace dev $interface root tbf rate "$1mbit" burst 64kb latency 200ms; done ;;
    delay) slow_line "$part" "$@" ;;
    nat-rebind) nat_rebind "$1" ;;
    reset) echo 'forward meta l4proto tcp reject with tcp reset' | drop_table "$part" "$name" ;;
    dns-dead) printf '%s %s dport 53\n' forward udp forward tcp input udp input tcp | drop_table "$part" "$name" ;;
    dns-hijack) lie "$part" "$name" 53:$LIAR_PORT ;;
    portal) portal "$part" "${1:-}" ;;
    address-change) change_address "$part" ;;
    v6-only) v6_only "${1:-}" ;;
    fall-over) black_hole isp1 fall-over; primary_by cell ;;
    power-cut) if [ $# = 0 ]; then settle_carriers; else black_hole isp1 power-cut; settle_carriers; fi ;;
  esac
  trap - EXIT
}

known() { case " $(echo $FAULTS) " in *" $1 "*) ;; *) usage_error "no fault is called $1" ;; esac; }

# fault_part NAME [ARG...]: the provider it belongs to; or why it cannot be.
fault_part() {
  local name=$1 line=
  shift
  case $name in
    primary-*|isp-only) set -- "$@" ;;
    backup-*|nat-rebind|v6-only) line=backup ;;
    one-way) case ${1:-} in up|down) shift ;; *) usage_error "one-way up or down" ;; esac ;;
    loss) whole "${1:-}" 1 99; shift ;;
    rate) whole "${1:-}" 1 10000; shift ;;
    delay)
      whole "${1:-}" 1 10000; shift
      case ${1:-} in [0-9]*) whole "$1" 0 10000; shift ;; esac
      [ -c /dev/net/tun ] || cannot "delay needs /dev/net/tun (modprobe tun)"
      need_program ;;
    dns-hijack) need_program ;;
    portal) [ "${1:-}" != refused ] || shift; need_program ;;
    fall-over) exists router || usage_error "only a router (wiring B or C) can fall over" ;;
  esac
  case $name in
    nat-rebind) case ${1:-} in polite|silent) shift ;; *) usage_error "nat-rebind polite or silent" ;; esac ;;
    v6-only)
      ! exists router || usage_error "v6-only: in wiring A only (behind a router it is the router's business)"
      [ "${1:-}" != nat64 ] || { need_nat64; shift; } ;;
    power-cut) [ "${1:-}" != returned ] || shift ;;
  esac
  case $name:${1:-} in
    *:) ;;
    one-way:*|loss:*|rate:*|delay:*|reset:*|dns-dead:*|dns-hijack:*|portal:*|address-change:*) line=$1; shift ;;
  esac
  [ $# = 0 ] || usage_error "$name: $1?"
  isp "$line"
}

black_hole() {
  printf '%s\n' 'forward iifname "cust"' 'forward oifname "cust"' 'input iifname "cust"' 'output oifname "cust"' | drop_table "$1" "$2"
}

forget() { inside "$1" conntrack -F >/dev/null 2>&1 || true; }

# Every carrier as the faults that are on want it.
settle_carriers() {
  local off=no part state=up port
  if has isp1 power-cut && ! inside isp1 nft list chain inet fault_power_cut forward_1 >/dev/null 2>&1; then off=yes; fi
  # The primary last: when the command ends it has just happened.
  for part in isp2 isp1; do
    state=up
    if [ $off = yes ] || has $part primary-carrier || has $part backup-carrier; then state=down; fi
    ip -n "$P$part" link set cust $state
  done
  exists router || return 0
  if [ $off = yes ]; then state=down; else state=up; fi
  if exists modem; then
    for port in to-home to-box to-modem; do ip -n "${P}router" link set $port $state; done
  else
    ip -n "${P}router" link set lan $state
    [ $off = yes ] || route_one_wire
  fi
}

nat_rebind() {
  if [ "$1" = silent ]; then
    # A packet of a forgotten connection is swallowed, not taken up again, and the server's answers find nobody.
    inside isp2 sysctl -qw net.netfilter.nf_conntrack_tcp_loose=0
    rules isp2 <<'NFT'
table inet fault_nat_rebind {
  chain through {
    type filter hook forward priority 10; policy accept;
    ct state invalid drop
  }
  chain in {
    type filter hook input priority 10; policy accept;
    iifname "core" drop
  }
}
NFT
  fi
  forget isp2
}

# lie PART NAME FROM:TO...: these ports of the whole world are the liar's own.
lie() {
  local part=$1 name=$2 pair rules=
  shift 2
  serve_lies "$part"
  for pair in "$@"; do
    rules+="    iifname \"cust\" meta l4proto { tcp, udp } th dport ${pair%:*} dnat to $PORTAL:${pair#*:}"$'\n'
  done
  printf 'table ip fault_%s {\n  chain in {\n    type nat hook prerouting priority dstnat; policy accept;\n%s  }\n}\n' "$(table_name "$name")" "$rules" | rules "$part"
  forget "$part"
}

portal() {
  local ports="53:$LIAR_PORT 80:80 443:443" refused=
  if [ "$2" = refused ]; then
    ports="53:$LIAR_PORT 80:80"
    refused=$(printf '%s iifname "cust" tcp dport 443 reject with tcp reset\\n' forward input)
  fi
  printf '%bforward iifname "cust" reject with icmpx admin-prohibited\n' "$refused" | drop_table "$1" portal
  # shellcheck disable=SC2086
  lie "$1" portal $ports
}

# The lab's own programs do what the kernel has no words for.
PROGRAM=${LAB_PROGRAM:-}
[ -n "$PROGRAM" ] || PROGRAM=$(ls -t "$HERE"/Lab/bin/*/net10.0/lab.dll 2>/dev/null | head -n 1)

need_program() {
  command -v dotnet >/dev/null 2>&1 || cannot "this fault needs dotnet on the PATH"
  [ -n "$PROGRAM" ] || cannot "the lab's programs are not built. Next step: dotnet build $HERE/Lab -c Release"
}

# serve_lies PART: one liar a provider, for DNS hijack and portal alike.
serve_lies() {
  local tries=0
  [ -z "$(pids_of "$1" liar)" ] || return 0
  beside "$1" dotnet "$PROGRAM" liar "$PORTAL" $LIAR_PORT
  until inside "$1" ss -Hltn 'sport = :443' | grep -q .; do
    [ $((tries += 1)) -le 300 ] || fail "the liar in $1 does not come up (dotnet $PROGRAM liar $PORTAL $LIAR_PORT)"
    sleep 0.1
  done
}

# pids_of PART WORD: our own programs of this kind in that part.
pids_of() {
  local pid
  for pid in $(ip netns pids "$P$1" 2>/dev/null); do
    if tr '\0' ' ' < "/proc/$pid/cmdline" 2>/dev/null | grep -q "lab\.dll $2 \|^$2 "; then echo "$pid"; fi
  done
}

end_program() {
  local pid
  for pid in $(pids_of "$1" "$2"); do
    kill -KILL "$pid" 2>/dev/null || true
    while [ -e "/proc/$pid" ] && ! grep -q '^State:.Z' "/proc/$pid/status" 2>/dev/null; do sleep 0.02; done
  done
}

# slow_line PART MS [JITTER] [LINE]: what comes from the customer takes a turn through a userspace queue. It is tracked (and translated)
# only on its way out of it.
slow_line() {
  local part=$1 ms=$2 jitter=0 tries=0
  case ${3:-} in [0-9]*) jitter=$3 ;; esac
  beside "$part" dotnet "$PROGRAM" slow-line slow "$ms" "$jitter"
  until ip -n "$P$part" link show slow >/dev/null 2>&1; do
    [ $((tries += 1)) -le 300 ] || fail "the slow line in $part does not come up (dotnet $PROGRAM slow-line slow $ms $jitter)"
    sleep 0.1
  done
  # Without an address of its own the device would fail even the loose reverse path check.
  printf 'addr add 192.0.2.253/32 dev slow\nlink set slow mtu 1500 up\nroute add default dev slow table %s\nrule add pref 50 iif cust lookup %s\n' $SLOW_TABLE $SLOW_TABLE | addr "$part"
  printf 'table inet fault_delay {\n  chain in {\n    type filter hook prerouting priority raw; policy accept;\n    iifname "cust" fib daddr type != local notrack\n  }\n}\n' | rules "$part"
}

# change_address isp1|isp2: as the provider would. NAT at the far end forgets.
change_address() {
  if [ "$1" = isp1 ]; then
    renumber $FIBRE_ADDRESS $FIBRE_GATEWAY $FIBRE_ADDRESS_LATER $FIBRE_GATEWAY_LATER
    return
  fi
  ip -n "${P}isp2" addr add $BACKUP_PUBLIC_LATER/32 dev lo
  ip -n "${P}cloud" route replace $BACKUP_PUBLIC_LATER/32 via $BACKUP_PUBLIC
  rules isp2 <<NFT
table ip fault_address_change {
  chain out {
    type nat hook postrouting priority srcnat - 1; policy accept;
    oifname "core" snat to $BACKUP_PUBLIC_LATER random
  }
}
NFT
  forget isp2
}

# renumber ADDRESS GATEWAY NEW-ADDRESS NEW-GATEWAY
renumber() {
  local end
  end=$(fibre_end)
  printf 'addr add %s/24 dev cust\naddr del %s/24 dev cust\n' "$4" "$2" | addr isp1
  printf 'addr del %s/24 dev fibre\naddr add %s/24 dev fibre\nroute replace default via %s dev fibre metric 100\n' "$1" "$3" "$4" | addr "$end"
  # Deleting a first address takes the second of its network along.
  ip -n "${P}isp1" addr replace "$4/24" dev cust
  [ "$end" = home ] || primary_by fibre
}

# v6_only [nat64]: home's cell has an address of the carrier's, and no IPv4 any more.
v6_only() {
  local pair address
  for pair in home/cell isp2/cust isp2/core cloud/isp2 cloud/lo; do
    inside "${pair%/*}" sysctl -qw "net.ipv6.conf.${pair#*/}.disable_ipv6=0" "net.ipv6.conf.${pair#*/}.keep_addr_on_down=1"
  done
  inside isp2 sysctl -qw net.ipv6.conf.all.forwarding=1
  printf 'addr del 100.64.8.10/24 dev cell\naddr add %s/64 dev cell nodad\nroute add default via %s dev cell\n' $BACKUP_ADDRESS_V6 $CARRIER_V6 | addr home
  printf 'addr add %s/64 dev cust nodad\naddr add 2001:db8:ffff::1/64 dev core nodad\nroute add default via 2001:db8:ffff::2 dev core\n' $CARRIER_V6 | addr isp2
  {
    printf 'addr add 2001:db8:ffff::2/64 dev isp2 nodad\nroute add 2001:db8:8::/64 via 2001:db8:ffff::1\n'
    for address in $SERVICES; do echo "addr add $WORLD_V6${address##*.}/128 dev lo nodad"; done
  } | addr cloud
  [ "$1" != nat64 ] || translate
}

need_nat64() {
  command -v tayga >/dev/null 2>&1 || cannot "nat64 needs tayga: sudo apt-get install --no-install-recommends tayga"
  [ -c /dev/net/tun ] || cannot "nat64 needs /dev/net/tun (modprobe tun)"
}

# A pool of its own per IPv6 customer; the carrier's NAT makes one public address of them.
# The well-known prefix must not lead to documentation addresses (RFC 6052, 3.1): hence one of the carrier's own.
translate() {
  printf 'tuntap add dev nat64 mode tun\naddr add 192.0.2.253/32 dev nat64\nlink set nat64 up\nroute add 192.0.2.128/25 dev nat64\n' | addr isp2
  inside isp2 sysctl -qw net.ipv6.conf.nat64.disable_ipv6=0
  ip -n "${P}isp2" -6 route add $NAT64_PREFIX/96 dev nat64
  beside isp2 tayga -d -c <(printf 'tun-device nat64\nipv4-addr 192.0.2.254\nipv6-addr 2001:db8:8:ffff::1\nprefix %s/96\ndynamic-pool 192.0.2.128/26\n' $NAT64_PREFIX)
}

clear_faults() {
  local name=${1:-}
  [ -n "$name" ] || usage_error "clear: which?"
  [ "$name" = all ] || known "$name"
  need_up
  if [ "$name" != all ]; then
    clear_fault "$name"
    return
  fi
  for name in $(faults); do clear_fault "$name"; done
}

clear_fault() {
  local name=$1 part family table
  table=fault_$(table_name "$name")
  for part in isp1 isp2; do
    has $part "$name" || continue
    for family in inet ip; do
      inside "$part" nft delete table "$family" "$table" 2>/dev/null || true
    done
    undo "$name" "$part"
  done
}

# undo NAME PART: what is more than a table.
undo() {
  local pair address
  case $1 in
    primary-carrier|backup-carrier|power-cut) settle_carriers ;;
    rate) for interface in core cust; do inside "$2" tc qdisc del dev $interface root 2>/dev/null || true; done ;;
    delay)
      printf 'rule del pref 50\nroute flush table %s\n' $SLOW_TABLE | ip -n "$P$2" -force -batch - >/dev/null 2>&1 || true
      end_program "$2" slow-line ;;
    nat-rebind) inside isp2 sysctl -qw net.netfilter.nf_conntrack_tcp_loose=1 ;;
    dns-hijack|portal)
      has "$2" dns-hijack || has "$2" portal || end_program "$2" liar
      forget "$2" ;;
    address-change)
      if [ "$2" = isp1 ]; then
        renumber $FIBRE_ADDRESS_LATER $FIBRE_GATEWAY_LATER $FIBRE_ADDRESS $FIBRE_GATEWAY
      else
        ip -n "${P}isp2" addr del $BACKUP_PUBLIC_LATER/32 dev lo
        ip -n "${P}cloud" route del $BACKUP_PUBLIC_LATER/32
        forget isp2
      fi ;;
    v6-only)
      end_program isp2 tayga
      ip -n "${P}isp2" link del nat64 2>/dev/null || true
      inside isp2 sysctl -qw net.ipv6.conf.all.forwarding=0
      for pair in home/cell isp2/cust isp2/core cloud/isp2 cloud/lo; do inside "${pair%/*}" sysctl -qw "net.ipv6.conf.${pair#*/}.disable_ipv6=1"; done
      printf 'addr add 100.64.8.10/24 dev cell\nroute add default via 100.64.8.1 dev cell metric 200\n' | addr home ;;
    fall-over) primary_by fibre ;;
  esac
}
