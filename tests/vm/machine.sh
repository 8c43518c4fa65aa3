# shellcheck shell=bash
# What the scripts of this folder share: where the unpacked packages are, which kernels there are,
# and how an emulated machine is started from them. Sourced.

# shellcheck disable=SC2034 # read by the scripts that source this
vm_cache=${XDG_CACHE_HOME:-$HOME/.cache}/plumbline/vm
vm_kernels=(6.1 6.12)
vm_root=$vm_cache/root
vm_libraries=$vm_root/usr/lib/x86_64-linux-gnu:$vm_root/lib/x86_64-linux-gnu

# The release of the newest unpacked kernel of a series: 6.1 is 6.1.0-56-amd64.
vm_release() {
  find "$vm_cache/kernels" -maxdepth 1 -name "vmlinux-$1.*" -printf '%f\n' 2>/dev/null |
    sed 's/^vmlinux-//' | sort -V | tail -n1
}

# Ends a script that cannot start a machine with this kernel, as a skipped test.
vm_demand() {
  if [[ -n $(vm_release "$1") && $(id -u) -eq 0 ]]; then return; fi
  echo "skipped: it needs root, and kernel $1 from tests/vm/fetch"
  exit 77
}

# One program of kmod (modprobe, depmod) out of its package.
vm_kmod() {
  LD_LIBRARY_PATH=$vm_libraries "$vm_root/kmod/$1" "${@:2}"
}

# vm_initramfs RELEASE INIT OUT MODULE...: static busybox, an /init, and the modules in the order in
# which they load.
vm_initramfs() {
  local release=$1 init=$2 out=$3 folder module file
  shift 3
  folder=$(mktemp -d "${out%/*}/initramfs.XXXXXX")
  mkdir -p "$folder"/{bin,sbin,dev,proc,sys,modules}
  cp "$vm_root/bin/busybox" "$folder/bin/busybox"
  ln -s busybox "$folder/bin/sh"
  install -m 755 "$init" "$folder/init"
  for module in "$@"; do
    vm_kmod modprobe -d "$vm_cache/kernels" -S "$release" --show-depends "$module"
  done | awk '$1 == "insmod" && !seen[$2]++ { print $2 }' >"$folder/files"
  while read -r file; do
    cp "$file" "$folder/modules/"
    echo "${file##*/}" >>"$folder/modules/order"
  done <"$folder/files"
  (cd "$folder" && find . | ./bin/busybox cpio -o -H newc 2>/dev/null) >"$out"
  rm -rf "$folder"
}

# KVM where the processor can; a /dev/kvm without these flags does not run unmodified kernels.
vm_accelerator() {
  if [[ -w /dev/kvm ]] && grep -qwE 'vmx|svm' /proc/cpuinfo; then
    echo "-accel kvm -cpu host"
  else
    echo "-accel tcg,thread=multi,tb-size=256 -cpu max,la57=off"
  fi
}

# vm_set_machine RELEASE INITRAMFS ARGUMENTS: sets vm_machine, the command that starts one; ARGUMENTS
# is what the kernel is told besides. Without KVM only the clock of ACPI is right.
vm_set_machine() {
  local accelerator
  read -ra accelerator <<<"$(vm_accelerator)"
  vm_machine=(env "LD_LIBRARY_PATH=$vm_libraries" "$vm_root/usr/bin/qemu-system-x86_64"
    -L "$vm_root/usr/share/qemu" -L "$vm_root/usr/share/seabios" -M q35 "${accelerator[@]}"
    -smp 1 -nodefaults -no-user-config -display none -no-reboot
    -kernel "$vm_cache/kernels/vmlinux-$1" -initrd "$2"
    -append "console=ttyS0 panic=-1 quiet mitigations=off nopti nokaslr clocksource=acpi_pm \
no_timer_check cryptomgr.notests random.trust_cpu=on audit=0 apparmor=0 nowatchdog $3")
}
