#!/bin/sh
# usage: unshare --mount --propagation private sh pam-host.sh FOLDER REPOSITORY SERVER PORT
# A machine's /etc, accounts and syslog of its own in a mount namespace, and a real sshd with the distribution's own PAM files and our hook in it.
# FOLDER has log.sock, host (a key), ca.pub, keys/ACCOUNT and pam.d, this machine's files with the line of FOLDER/hook in them; the spool is FOLDER/spool/bastion. Nothing outside of FOLDER is changed.
set -eu
W=$1 REPOSITORY=$2 SERVER=$3 PORT=$4
PATH=/usr/sbin:/usr/bin:/sbin:/bin
umask 022

mkdir "$W/over" "$W/home" "$W/dev" "$W/spool" "$W/spool/bastion"
mount -t tmpfs -o mode=755 tmpfs "$W/over"
mkdir "$W/over/upper" "$W/over/work"
mount -t overlay -o "lowerdir=/etc,upperdir=$W/over/upper,workdir=$W/over/work" overlay /etc
mount --bind "$W/home" /home
mount --bind "$W/spool" /var/spool
mount -t tmpfs -o mode=755 tmpfs "$W/dev"
for device in null zero full random urandom tty; do
  : >"$W/dev/$device"
  mount --bind "/dev/$device" "$W/dev/$device"
done
mkdir "$W/dev/pts" "$W/dev/shm"
mount --bind /dev/pts "$W/dev/pts"
ln -s pts/ptmx "$W/dev/ptmx"
ln -s /proc/self/fd "$W/dev/fd"
ln -s "$W/log.sock" "$W/dev/log"
mount --rbind "$W/dev" /dev

groupadd bastion-site
{
  for account in alice bob force env two cert; do echo "$account:right::::/home/$account:/bin/sh"; done
  for account in gone site-home site-other site-home-bulk; do echo "$account:right::::/nonexistent:/usr/sbin/nologin"; done
} | newusers
for account in site-home site-other site-home-bulk; do usermod -aG bastion-site "$account"; done
mkdir -p /etc/sudoers.d
echo 'alice ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/alice
chmod 440 /etc/sudoers.d/alice

install -d -m 2770 "$W/spool/bastion/tmp" "$W/spool/bastion/new" "$W/spool/bastion/dead"
cp "$REPOSITORY/infra/bastion/hook" "$W/hook"
cp "$W"/pam.d/* /etc/pam.d/
# Others' hooks run at close as well: what they get to see there is looked at.
printf '#!/bin/sh\n/usr/bin/tr "\\0" "\\n" </proc/$$/environ >>%s/at-close\n' "$W" >"$W/witness"
chmod 755 "$W/witness"
echo "session optional pam_exec.so quiet type=close_session $W/witness" >>/etc/pam.d/sshd
# Debian 12 reads it for sshd, Debian 13 does not: the worse case is the one to stand.
grep -q user_readenv=1 /etc/pam.d/sshd || echo 'session required pam_env.so user_readenv=1' >>/etc/pam.d/sshd

cat >"$W/sshd_config" <<CONFIG
ListenAddress $SERVER
Port $PORT
HostKey $W/host
PidFile none
AuthorizedKeysFile $W/keys/%u
TrustedUserCAKeys $W/ca.pub
StrictModes no
LogLevel VERBOSE
UsePAM yes
UseDNS no
PermitRootLogin no
PasswordAuthentication yes
KbdInteractiveAuthentication yes
MaxStartups 200
AcceptEnv LC_*
Subsystem sftp internal-sftp
Match User force
  ForceCommand true
Match User site-other
  MaxSessions 0
Match User two
  AuthenticationMethods publickey,keyboard-interactive
CONFIG
mkdir -p /run/sshd
exec /usr/sbin/sshd -D -f "$W/sshd_config"
