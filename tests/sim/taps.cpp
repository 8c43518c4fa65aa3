// TAPs by way of /dev/net/tun (drivers/net/tun.c), with the words of io/tap.cpp for its refusals.

#include <linux/if.h>

#include <cerrno>

#include "tests/sim/links.hpp"

namespace plumbline::sim {

namespace {

constexpr std::uint32_t nobody = UINT32_MAX;

void make(Namespace& there, const wire::TapChange& change) {
  const std::string name(change.name.view());
  if (there.device(name) != nullptr) {
    throw Refusal{EEXIST, "an interface of this name exists"};
  }
  if (change.alias.size() >= IFALIASZ) {
    throw Refusal{ERANGE, "Attribute failed policy validation"};
  }
  Device device;
  device.name = name;
  device.kind = "tun";
  device.flags = IFF_BROADCAST | IFF_MULTICAST;
  device.most_mtu = 65535 - 14;
  device.mac = there.new_mac(name);
  device.carrier = false;  // nobody holds it
  device.tun = Tun{change.owner, change.group, change.multi_queue, change.vnet_header, false};
  device.alias = change.alias;
  register_device(there, std::move(device));
}

void give(Namespace& there, const wire::TapChange& change) {
  Device* device = there.device(std::string(change.name.view()));
  if (device == nullptr) throw Refusal{ENODEV, ""};
  if (!device->tun) throw Refusal{EINVAL, "the interface is no TAP"};
  if (device->tun->held) {
    throw device->tun->multi_queue ? Refusal{EBUSY, "a program holds the TAP"}
                                   : Refusal{EBUSY, "cannot attach to the TAP"};
  }
  if (device->name != change.name.view()) throw Refusal{EINVAL, "cannot attach to the TAP"};
  if (change.owner) device->tun->owner = change.owner;
  if (change.group) device->tun->group = change.group;
}

}  // namespace

void change_tap(Namespace& there, const wire::TapChange& change) {
  if (change.owner == nobody || change.group == nobody) {
    throw Refusal{EINVAL, "the kernel has no way to take the owner or group of a TAP away"};
  }
  if (change.action == wire::TapChange::Action::create) return make(there, change);
  give(there, change);
}

}  // namespace plumbline::sim
