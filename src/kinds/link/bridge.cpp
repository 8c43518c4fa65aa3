// Options of a bridge.

#include <linux/if_bridge.h>
#include <linux/if_ether.h>
#include <linux/if_link.h>

#include <climits>

#include "type.hpp"

namespace plumbline::detail {

namespace {

/// Hundredths of a second in a second.
constexpr std::uint32_t hundredths = 100;

std::optional<std::uint32_t> seconds(const wire::Entry& entry, std::string_view key,
                                     std::int64_t max) {
  const auto value = entry.integer<std::uint32_t>(key, 0, max);
  if (!value) return std::nullopt;
  return *value * hundredths;
}

/// Whole seconds, as the spec takes them; what others set may be a fraction.
void put_seconds(boost::json::object& object, std::string_view key,
                 const std::optional<std::uint32_t>& value) {
  if (!value) return;
  if (*value % hundredths == 0) {
    object[key] = *value / hundredths;
  } else {
    object[key] = *value / double{hundredths};
  }
}

/// Nothing when this kernel does not know the option: it masks what it says.
std::optional<bool> read_option(const wire::Attribute& attribute, unsigned option) {
  const auto options = attribute.read<br_boolopt_multi>();
  const std::uint32_t bit = 1U << option;
  if ((options.optmask & bit) == 0) return std::nullopt;
  return (options.optval & bit) != 0;
}

std::optional<BridgeOptions> bridge_of(const wire::Entry& link) {
  const auto member = link.find("bridge");
  if (!member || !member->is_object()) return std::nullopt;
  member->only({"stp", "forwardDelay", "ageingTime", "vlanFiltering", "multicastSnooping",
                "noLinklocalLearn"});
  BridgeOptions bridge;
  bridge.stp = member->boolean("stp");
  // BR_MIN_FORWARD_DELAY and BR_MAX_FORWARD_DELAY in net/bridge/br_private_stp.h
  bridge.forward_delay = seconds(*member, "forwardDelay", 30);
  bridge.ageing_time = seconds(*member, "ageingTime", UINT32_MAX / hundredths);
  bridge.vlan_filtering = member->boolean("vlanFiltering");
  bridge.multicast_snooping = member->boolean("multicastSnooping");
  bridge.no_linklocal_learn = member->boolean("noLinklocalLearn");
  if (bridge.forward_delay == hundredths) {
    member->find("forwardDelay")->error(Code::out_of_range, "a forward delay is 0 or 2 to 30");
  }
  if (bridge.forward_delay == 0U && bridge.stp == true) {
    member->find("forwardDelay")
        ->error(Code::invalid_link, "STP needs a forward delay of at least 2 seconds");
  }
  return bridge;
}

boost::json::object spec_of(const BridgeOptions& bridge) {
  boost::json::object object;
  put(object, "stp", bridge.stp);
  put_seconds(object, "forwardDelay", bridge.forward_delay);
  put_seconds(object, "ageingTime", bridge.ageing_time);
  put(object, "vlanFiltering", bridge.vlan_filtering);
  put(object, "multicastSnooping", bridge.multicast_snooping);
  put(object, "noLinklocalLearn", bridge.no_linklocal_learn);
  return object;
}

void complete_bridge(BridgeOptions& want, const BridgeOptions& have) {
  take(want.stp, have.stp);
  take(want.forward_delay, have.forward_delay);
  take(want.ageing_time, have.ageing_time);
  take(want.vlan_filtering, have.vlan_filtering);
  take(want.multicast_snooping, have.multicast_snooping);
  take(want.no_linklocal_learn, have.no_linklocal_learn);
}

BridgeOptions read_bridge(const wire::Attribute& data) {
  BridgeOptions options;
  wire::for_each_attribute(data.payload(), [&](const wire::Attribute& attribute) {
    switch (attribute.type()) {
      case IFLA_BR_STP_STATE:
        options.stp = attribute.u32() != 0;
        break;
      case IFLA_BR_FORWARD_DELAY:
        options.forward_delay = attribute.u32();
        break;
      case IFLA_BR_AGEING_TIME:
        options.ageing_time = attribute.u32();
        break;
      case IFLA_BR_VLAN_FILTERING:
        options.vlan_filtering = attribute.u8() != 0;
        break;
      case IFLA_BR_MCAST_SNOOPING:
        options.multicast_snooping = attribute.u8() != 0;
        break;
      case IFLA_BR_MULTI_BOOLOPT:
        options.no_linklocal_learn = read_option(attribute, BR_BOOLOPT_NO_LL_LEARN);
        break;
      default:
        break;
    }
  });
  return options;
}

void change_bridge(wire::MessageBuilder& data, const BridgeOptions& have,
                   const BridgeOptions& want) {
  if (differs(have.forward_delay, want.forward_delay)) {
    data.u32(IFLA_BR_FORWARD_DELAY, *want.forward_delay);
  }
  if (differs(have.ageing_time, want.ageing_time)) {
    data.u32(IFLA_BR_AGEING_TIME, *want.ageing_time);
  }
  if (differs(have.stp, want.stp)) data.u32(IFLA_BR_STP_STATE, *want.stp ? 1 : 0);
  if (differs(have.vlan_filtering, want.vlan_filtering)) {
    data.u8(IFLA_BR_VLAN_FILTERING, *want.vlan_filtering ? 1 : 0);
  }
  if (differs(have.multicast_snooping, want.multicast_snooping)) {
    data.u8(IFLA_BR_MCAST_SNOOPING, *want.multicast_snooping ? 1 : 0);
  }
  if (differs(have.no_linklocal_learn, want.no_linklocal_learn)) {
    constexpr std::uint32_t bit = 1U << BR_BOOLOPT_NO_LL_LEARN;
    const br_boolopt_multi option{*want.no_linklocal_learn ? bit : 0, bit};
    data.bytes(IFLA_BR_MULTI_BOOLOPT, std::as_bytes(std::span(&option, 1)));
  }
}

class Bridge final : public LinkType {
 public:
  constexpr Bridge() : LinkType(LinkKind::bridge) {}

  void read_spec(const wire::Entry& entry, Link& link) const override {
    link.bridge = bridge_of(entry);
  }
  void write_spec(const Link& link, boost::json::object& object) const override {
    if (link.bridge) object["bridge"] = spec_of(*link.bridge);
  }

  void complete(Link& want, const Link& have) const override {
    take(want.bridge, have.bridge);
    if (want.bridge && have.bridge) complete_bridge(*want.bridge, *have.bridge);
  }
  [[nodiscard]] Disruption disruption(const Link& have, const Link& want) const override {
    if (!have.bridge || !want.bridge) return Disruption::nothing;
    const bool filters = have.bridge->stp != want.bridge->stp ||
                         have.bridge->vlan_filtering != want.bridge->vlan_filtering;
    return filters ? Disruption::traffic : Disruption::nothing;
  }
  [[nodiscard]] std::string obstacle(const Link& /*have*/, const Link& want) const override {
    // br_set_forward_delay() in net/bridge/br_stp.c
    constexpr std::uint32_t shortest = 200;
    const bool too_short = want.bridge && want.bridge->stp == true &&
                           want.bridge->forward_delay.value_or(shortest) < shortest;
    return too_short ? "its STP is off: a forward delay under 2 seconds needs that" : "";
  }

  void read(const wire::Attribute& data, Link& link, RawLink& /*raw*/) const override {
    link.bridge = read_bridge(data);
  }
  void add_new(wire::MessageBuilder& data, const Link& link, Making& /*making*/) const override {
    if (!link.bridge) return;
    // A kernel without CONFIG_BRIDGE_VLAN_FILTERING refuses to be told "no".
    BridgeOptions fresh;
    fresh.vlan_filtering = false;
    change_bridge(data, fresh, *link.bridge);
  }
  /// A bridge follows the smallest MTU of its ports unless it was given one, and that counts only
  /// when it is another and after its making (br_dev_change_mtu() in net/bridge/br_device.c).
  void settle_made(const Link& link, Link& made) const override {
    made.mtu.reset();
    if (link.mtu == ETH_DATA_LEN) made.mtu = ETH_DATA_LEN - 1;
  }
  void add_changes(wire::MessageBuilder& data, const Link& have, const Link& want) const override {
    if (!want.bridge) return;
    change_bridge(data, have.bridge.value_or(BridgeOptions()), *want.bridge);
  }
  /// The kernel sets the delay before STP, and refuses a short one while STP is on (br_changelink()
  /// in net/bridge/br_netlink.c).
  [[nodiscard]] std::optional<Link> by_way_of(const Link& have, const Link& want) const override {
    const bool ends_stp =
        have.bridge && want.bridge && have.bridge->stp == true && want.bridge->stp == false;
    if (!ends_stp) return std::nullopt;
    Link off = have;
    off.bridge->stp = false;
    return off;
  }
};

const Bridge bridge;

}  // namespace

const LinkType& bridge_type() { return bridge; }

}  // namespace plumbline::detail
