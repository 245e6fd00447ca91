#!/bin/bash
# build-image.sh NAME FOLDER: a Debian root file system for the tests, from Debian packages alone.
# Needs root, but no loop device and no mount of the image. Nothing is done when FOLDER is complete.
#   NAME    bookworm, or trixie: the user space of Debian 13 on the kernel of Debian 12, because the
#           kernel 6.12 fails at random under QEMU without KVM
#           bookworm-arm64: Debian 12 for 64-bit ARM, unpacked through qemu-user
#   FOLDER  gets vmlinuz, initrd.img, root.ext4, modules.tar and packages.txt
# SOURCES names a sources.list; when it is empty, mmdebstrap's own default is used. KEY names the
# public key that may log in as root. Steps go to standard output, everything else to standard error.
set -euo pipefail
name=$1 complete=$2 key=${KEY:?a public key}
[ -e "$complete/root.ext4" ] && exit 0
# Another process may have died half way; the caller's lock says that none is at work.
folder=$complete.part
rm -rf "$folder"
mkdir -p "$folder"
root=$(mktemp -d "$folder/root.XXXX")
trap 'rm -rf "$folder"' EXIT
step() { echo "$name image, $SECONDS s: $1"; }

packages=systemd-sysv,dbus,libpam-systemd,udev,kmod,procps,iproute2,login,passwd,sudo,openssh-server
packages+=,iptables,nftables,util-linux,e2fsprogs,ca-certificates,init-system-helpers,nodejs,libcap2-bin
packages+=,adduser,netcat-openbsd,apt
suite=${name%%-*} architecture=amd64 console=ttyS0
case $name in
  bookworm) packages+=,initramfs-tools,zstd,linux-image-cloud-amd64 ;;
  bookworm-arm64)
    architecture=arm64 console=ttyAMA0
    packages+=,initramfs-tools,zstd,linux-image-cloud-arm64
    ;;
  trixie) packages+=,wtmpdb,lastlog2,libpam-wtmpdb,libpam-lastlog2 ;;
  *) echo "no such image: $name" >&2 && exit 2 ;;
esac

step "installing packages"
mirror=()
[ -s "${SOURCES:-}" ] && mirror=("$SOURCES")
mmdebstrap --mode=root --variant=minbase --architectures="$architecture" --include="$packages" \
  --aptopt='APT::Install-Recommends "false"' --aptopt='Acquire::Languages "none"' \
  --dpkgopt='path-exclude=/usr/share/initramfs-tools/scripts/init-*/udev' \
  --dpkgopt='path-exclude=/usr/share/man/*' --dpkgopt='path-exclude=/usr/share/locale/*' \
  --essential-hook='mkdir -p "$1/etc/initramfs-tools/conf.d"
    printf "MODULES=list\nCOMPRESS=zstd\n" >"$1/etc/initramfs-tools/conf.d/vm"
    printf "virtio_pci\nvirtio_blk\nvirtio_net\next4\n" >"$1/etc/initramfs-tools/modules"' \
  "$suite" "$root" "${mirror[@]}"

step "setting up"
echo gateway >"$root/etc/hostname"
printf '127.0.0.1 localhost gateway\n::1 localhost\n10.0.2.2 hub.gatewarden.test\n' >"$root/etc/hosts"
echo '/dev/vda / ext4 rw,noatime,errors=remount-ro 0 1' >"$root/etc/fstab"
printf '[Match]\nName=eth0\n[Network]\nDHCP=ipv4\nLinkLocalAddressing=ipv6\n' \
  >"$root/etc/systemd/network/10-eth0.network"
echo 'virtio_net' >"$root/etc/modules-load.d/vm.conf"
mkdir -p "$root/root/.ssh" "$root/var/log/journal"
install -m 0600 "$key" "$root/root/.ssh/authorized_keys"
chmod 0700 "$root/root/.ssh"
echo 'root:gatewarden' | chroot "$root" chpasswd
chroot "$root" useradd -m -s /bin/bash alice
echo 'alice:wonderland' | chroot "$root" chpasswd
echo 'alice ALL=(ALL) ALL' >"$root/etc/sudoers.d/alice"
chmod 0440 "$root/etc/sudoers.d/alice"
chroot "$root" systemctl enable -q systemd-networkd ssh serial-getty@$console
# What no test looks at: each unit is a process or two, and here every process is dear. So is a manager of
# root's own at each login of a test.
unused="systemd-networkd-wait-online systemd-network-generator systemd-firstboot systemd-pstore systemd-repart"
unused+=" apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap fstrim.timer dpkg-db-backup.timer"
unused+=" systemd-tmpfiles-clean.timer getty@tty1 user@0 kmod-static-nodes systemd-fsckd.socket"
unused+=" systemd-initctl.socket systemd-ask-password-console.path systemd-ask-password-wall.path"
unused+=" proc-sys-fs-binfmt_misc.automount systemd-pcrphase systemd-pcrphase-initrd systemd-pcrphase-sysinit"
unused+=" modprobe@configfs modprobe@dm_mod modprobe@drm modprobe@fuse modprobe@loop modprobe@efi_pstore"
unused+=" sys-kernel-config.mount sys-kernel-debug.mount sys-kernel-tracing.mount sys-fs-fuse-connections.mount"
unused+=" dev-hugepages.mount dev-mqueue.mount"
for unit in $unused; do
  chroot "$root" systemctl mask -q "$unit" || true
done
chroot "$root" systemctl set-default -q multi-user.target
# Drivers for every feature of the played processor take a third of a start, and none of them is used.
mkdir -p "$root/etc/systemd/system/systemd-udev-trigger.service.d"
printf '[Service]\nExecStart=\nExecStart=-udevadm trigger --type=all --action=add --prioritized-subsystem=block,net,tty %s\n' \
  '--subsystem-match=block --subsystem-match=net --subsystem-match=tty --subsystem-match=mem' \
  >"$root/etc/systemd/system/systemd-udev-trigger.service.d/few.conf"

if [ "$suite" = bookworm ]; then
  cp "$root"/boot/vmlinuz-* "$folder/vmlinuz"
  cp "$root"/boot/initrd.img-* "$folder/initrd.img"
  tar -C "$root/usr/lib" -cf "$folder/modules.tar" modules
  rm -f "$root"/boot/initrd* "$root"/boot/vmlinuz*
else
  tar -C "$root/usr/lib" -xf "${BOOKWORM:?folder of the bookworm image}/modules.tar"
  cp "$BOOKWORM/vmlinuz" "$BOOKWORM/initrd.img" "$folder/"
fi
chroot "$root" dpkg-query -W -f '${Package} ${Version}\n' >"$folder/packages.txt"
rm -rf "$root"/var/lib/apt/lists/* "$root"/var/cache/apt/archives/*.deb
step "writing the file system"
mke2fs -q -t ext4 -L root -m 0 -d "$root" "$folder/root.ext4" 1600M
rm -rf "$root" "$complete"
mv "$folder" "$complete"
step "done"
