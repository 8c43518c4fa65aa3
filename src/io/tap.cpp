#include "tap.hpp"

#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <linux/if_tun.h>
#include <linux/rtnetlink.h>
#include <sys/ioctl.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <optional>

namespace plumbline::io {

namespace {

wire::Reply failure(int error, std::string what) { return {error, std::move(what), {}, {}}; }

constexpr std::uint32_t nobody = 4294967295;

/// What a TAP that is there says of itself (tun_fill_info() in drivers/net/tun.c).
struct ExistingTap {
  bool packet_prefix = false;
  bool vnet_header = false;
  bool multi_queue = false;
  std::uint32_t queues = 0;
};

void read_tun(const wire::Attribute& nested, std::optional<ExistingTap>& tap) {
  ExistingTap found;
  bool is_tap = false;
  wire::for_each_attribute(nested.payload(), [&](const wire::Attribute& attribute) {
    switch (attribute.type()) {
      case IFLA_TUN_TYPE:
        is_tap = attribute.u8() == IFF_TAP;
        break;
      case IFLA_TUN_PI:
        found.packet_prefix = attribute.u8() != 0;
        break;
      case IFLA_TUN_VNET_HDR:
        found.vnet_header = attribute.u8() != 0;
        break;
      case IFLA_TUN_MULTI_QUEUE:
        found.multi_queue = attribute.u8() != 0;
        break;
      case IFLA_TUN_NUM_QUEUES:
      case IFLA_TUN_NUM_DISABLED_QUEUES:
        found.queues += attribute.u32();
        break;
      default:
        break;
    }
  });
  if (is_tap) tap = found;
}

std::optional<ExistingTap> read_link(const wire::Message& link) {
  std::optional<ExistingTap> tap;
  link.attributes<ifinfomsg>([&](const wire::Attribute& attribute) {
    if (attribute.type() != IFLA_LINKINFO) return;
    bool is_tun = false;
    wire::for_each_attribute(attribute.payload(), [&](const wire::Attribute& part) {
      if (part.type() == IFLA_INFO_KIND) is_tun = part.string() == "tun";
      if (part.type() == IFLA_INFO_DATA && is_tun) read_tun(part, tap);
    });
  });
  return tap;
}

wire::Bytes link_message(std::uint16_t type, std::uint16_t flags, const IfName& name,
                         const std::string* alias) {
  wire::MessageBuilder message(type, flags);
  message.header(ifinfomsg{});
  message.string(IFLA_IFNAME, name.view());
  if (alias != nullptr) {
    message.bytes(IFLA_IFALIAS, std::as_bytes(std::span(alias->data(), alias->size())));
  }
  return std::move(message).finish();
}

/// Opens the interface of that name, or makes it. The kernel may have taken another one: a pattern
/// (`tap%d`) is filled in, and an alternative name leads to its interface.
int attach(const Descriptor& tun, const IfName& name, unsigned flags) {
  ifreq request{};
  const std::string_view text = name.view();
  std::copy(text.begin(), text.end(), request.ifr_name);
  request.ifr_flags = static_cast<short>(flags);
  if (ioctl(tun.get(), TUNSETIFF, &request) != 0) return errno;
  return std::string_view(request.ifr_name) == text ? 0 : EINVAL;
}

unsigned flags_of(bool packet_prefix, bool vnet_header, bool multi_queue) {
  return static_cast<unsigned>(IFF_TAP) | (packet_prefix ? 0U : static_cast<unsigned>(IFF_NO_PI)) |
         (vnet_header ? static_cast<unsigned>(IFF_VNET_HDR) : 0U) |
         (multi_queue ? static_cast<unsigned>(IFF_MULTI_QUEUE) : 0U);
}

std::optional<wire::Reply> give_to(const Descriptor& tun, const wire::TapChange& change) {
  // The value is the argument itself, an unsigned long to ioctl(2).
  if (change.owner && ioctl(tun.get(), TUNSETOWNER, static_cast<unsigned long>(*change.owner))) {
    return failure(errno, "cannot set the owner of a TAP");
  }
  if (change.group && ioctl(tun.get(), TUNSETGROUP, static_cast<unsigned long>(*change.group))) {
    return failure(errno, "cannot set the group of a TAP");
  }
  return std::nullopt;
}

wire::Reply create(NetlinkSocket& rtnetlink, const Descriptor& tun, const wire::TapChange& change) {
  // IFF_TUN_EXCL: without it TUNSETIFF attaches to an interface that is already there.
  const int error = attach(tun, change.name,
                           flags_of(false, change.vnet_header, change.multi_queue) |
                               static_cast<unsigned>(IFF_TUN_EXCL));
  if (error == EBUSY) return failure(EEXIST, "an interface of this name exists");
  if (error != 0) return failure(error, "cannot make a TAP");
  if (auto failed = give_to(tun, change)) return *failed;
  if (!change.alias.empty()) {
    const wire::Bytes message = link_message(RTM_SETLINK, 0, change.name, &change.alias);
    auto reply = rtnetlink.change({&message}).front();
    if (reply.error != 0) return reply;
  }
  if (ioctl(tun.get(), TUNSETPERSIST, 1UL) != 0) {
    return failure(errno, "cannot make a TAP persistent");
  }
  return {};
}

wire::Reply set_owner(NetlinkSocket& rtnetlink, const Descriptor& tun,
                      const wire::TapChange& change) {
  const auto link = rtnetlink.get(link_message(RTM_GETLINK, 0, change.name, nullptr));
  if (link.error != 0) return {link.error, link.message, {}, {}};
  std::optional<ExistingTap> tap;
  wire::for_each_message(link.bytes,
                         [&](const wire::Message& message) { tap = read_link(message); });
  if (!tap) return failure(EINVAL, "the interface is no TAP");
  // To a TAP of several queues another program could attach unnoticed, and take its traffic.
  if (tap->queues != 0) return failure(EBUSY, "a program holds the TAP");
  // Attaching sets these flags anew: they stay what they are.
  const int error =
      attach(tun, change.name, flags_of(tap->packet_prefix, tap->vnet_header, tap->multi_queue));
  if (error != 0) return failure(error, "cannot attach to the TAP");
  if (auto failed = give_to(tun, change)) return *failed;
  return {};
}

}  // namespace

wire::Reply change_tap(NetlinkSocket& rtnetlink, const wire::TapChange& change) {
  // Refused by the kernel only after a part of the change is done (uid_valid() in tun.c).
  if (change.owner == nobody || change.group == nobody) {
    return failure(EINVAL, "the kernel has no way to take the owner or group of a TAP away");
  }
  const Descriptor tun(open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK));
  if (!tun) return failure(errno, "cannot open /dev/net/tun");
  return change.action == wire::TapChange::Action::create ? create(rtnetlink, tun, change)
                                                          : set_owner(rtnetlink, tun, change);
}

}  // namespace plumbline::io
