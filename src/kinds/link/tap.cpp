// TAPs.

#include <linux/if_link.h>
#include <linux/if_tun.h>

#include "type.hpp"

namespace plumbline::detail {

namespace {

std::optional<TapOptions> tap_of(const wire::Entry& link) {
  const auto member = link.find("tap");
  if (!member || !member->is_object()) return std::nullopt;
  member->only({"owner", "group", "multiQueue", "vnetHeader"});
  constexpr std::int64_t last_id = UINT32_MAX - std::int64_t{1};  // the last one means nobody
  TapOptions tap;
  tap.owner = member->integer<std::uint32_t>("owner", 0, last_id);
  tap.group = member->integer<std::uint32_t>("group", 0, last_id);
  tap.multi_queue = member->boolean("multiQueue");
  tap.vnet_header = member->boolean("vnetHeader");
  return tap;
}

boost::json::object spec_of(const TapOptions& tap) {
  boost::json::object object;
  put(object, "owner", tap.owner);
  put(object, "group", tap.group);
  put(object, "multiQueue", tap.multi_queue);
  put(object, "vnetHeader", tap.vnet_header);
  return object;
}

void complete_tap(TapOptions& want, const TapOptions& have) {
  take(want.owner, have.owner);
  take(want.group, have.group);
  want.multi_queue = have.multi_queue;
  want.vnet_header = have.vnet_header;
}

/// Nothing of a TUN, which is of the same kind to rtnetlink.
std::optional<TapOptions> read_tap(const wire::Attribute& data) {
  TapOptions options;
  bool is_tap = false;
  wire::for_each_attribute(data.payload(), [&](const wire::Attribute& attribute) {
    switch (attribute.type()) {
      case IFLA_TUN_TYPE:
        is_tap = attribute.u8() == IFF_TAP;
        break;
      case IFLA_TUN_OWNER:
        options.owner = attribute.u32();
        break;
      case IFLA_TUN_GROUP:
        options.group = attribute.u32();
        break;
      case IFLA_TUN_MULTI_QUEUE:
        options.multi_queue = attribute.u8() != 0;
        break;
      case IFLA_TUN_VNET_HDR:
        options.vnet_header = attribute.u8() != 0;
        break;
      default:
        break;
    }
  });
  if (!is_tap) return std::nullopt;
  return options;
}

/// It is made by way of /dev/net/tun: requests.cpp.
class Tap final : public LinkType {
 public:
  constexpr Tap() : LinkType(LinkKind::tap) {}

  /// It keeps room for a frame's header (tun_net_initialize() in drivers/net/tun.c).
  [[nodiscard]] std::uint32_t most_mtu() const override {
    constexpr std::uint32_t header = 14;
    return LinkType::most_mtu() - header;
  }
  [[nodiscard]] std::uint32_t most_in_queue() const override { return most_in_ptr_ring; }

  void read_spec(const wire::Entry& entry, Link& link) const override { link.tap = tap_of(entry); }
  void write_spec(const Link& link, boost::json::object& object) const override {
    if (link.tap) object["tap"] = spec_of(*link.tap);
  }

  void complete(Link& want, const Link& have) const override {
    take(want.tap, have.tap);
    if (want.tap && have.tap) complete_tap(*want.tap, *have.tap);
  }
  /// TUNSETIFF on a TAP that is held gives EBUSY, or takes a queue of it (drivers/net/tun.c).
  [[nodiscard]] std::string obstacle(const Link& have, const Link& want) const override {
    const bool new_owner =
        have.tap && want.tap &&
        (have.tap->owner != want.tap->owner || have.tap->group != want.tap->group);
    return new_owner && have.carrier == true ? "the TAP is free (somebody has it open)" : "";
  }

  void read(const wire::Attribute& data, Link& link, RawLink& /*raw*/) const override {
    link.tap = read_tap(data);
    if (link.tap) link.kind = LinkKind::tap;
  }
  void settle_made(const Link& link, Link& made) const override {
    made.mtu.reset();
    made.mac.reset();
    made.tx_queue_length.reset();
    if (is_of_guest(link)) made.alias.reset();  // until it is in its group
  }
};

const Tap tap;

}  // namespace

const LinkType& tap_type() { return tap; }

}  // namespace plumbline::detail
