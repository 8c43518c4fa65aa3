// Settings of a link as a port of a bridge.

#include <linux/if_bridge.h>
#include <linux/if_link.h>

#include "type.hpp"

namespace plumbline::detail {

std::optional<PortSettings> port_of(const wire::Entry& link, LinkKind kind) {
  const auto member = link.find("port");
  if (!member || !member->is_object()) return std::nullopt;
  member->only({"isolated", "learning", "hairpin", "cost", "priority", "groupFwdMask"});
  if (kind != LinkKind::physical && !link.has("master")) {
    member->error(Code::invalid_link, "bridge port settings need a 'master'");
  }
  PortSettings port;
  port.isolated = member->boolean("isolated");
  port.learning = member->boolean("learning");
  port.hairpin = member->boolean("hairpin");
  // br_stp_set_path_cost() and br_stp_set_port_priority() in net/bridge/br_stp_if.c
  port.cost = member->integer<std::uint32_t>("cost", 1, 65535);
  port.priority = member->integer<std::uint16_t>("priority", 0, 63);
  port.group_fwd_mask = member->integer<std::uint16_t>("groupFwdMask", 0, UINT16_MAX);
  if (port.group_fwd_mask && (*port.group_fwd_mask & mac_pause) != 0) {
    member->find("groupFwdMask")
        ->error(Code::invalid_link,
                "the kernel forwards no MAC pause frames: leave out bit 1, of value 2");
    port.group_fwd_mask.reset();
  }
  return port;
}

boost::json::object to_spec(const PortSettings& port) {
  boost::json::object object;
  put(object, "isolated", port.isolated);
  put(object, "learning", port.learning);
  put(object, "hairpin", port.hairpin);
  put(object, "cost", port.cost);
  put(object, "priority", port.priority);
  put(object, "groupFwdMask", port.group_fwd_mask);
  return object;
}

void complete(PortSettings& want, const PortSettings& have) {
  take(want.isolated, have.isolated);
  take(want.learning, have.learning);
  take(want.hairpin, have.hairpin);
  take(want.cost, have.cost);
  take(want.priority, have.priority);
  take(want.group_fwd_mask, have.group_fwd_mask);
}

PortSettings read_port(const wire::Attribute& data) {
  PortSettings port;
  wire::for_each_attribute(data.payload(), [&](const wire::Attribute& attribute) {
    switch (attribute.type()) {
      case IFLA_BRPORT_ISOLATED:
        port.isolated = attribute.u8() != 0;
        break;
      case IFLA_BRPORT_LEARNING:
        port.learning = attribute.u8() != 0;
        break;
      case IFLA_BRPORT_MODE:
        port.hairpin = attribute.u8() != 0;
        break;
      case IFLA_BRPORT_COST:
        port.cost = attribute.u32();
        break;
      case IFLA_BRPORT_PRIORITY:
        port.priority = attribute.u16();
        break;
      case IFLA_BRPORT_GROUP_FWD_MASK:
        port.group_fwd_mask = attribute.u16();
        break;
      default:
        break;
    }
  });
  return port;
}

void add_changes(wire::MessageBuilder& data, const PortSettings& have, const PortSettings& want) {
  if (differs(have.isolated, want.isolated)) {
    data.u8(IFLA_BRPORT_ISOLATED, *want.isolated ? 1 : 0);
  }
  if (differs(have.learning, want.learning)) {
    data.u8(IFLA_BRPORT_LEARNING, *want.learning ? 1 : 0);
  }
  if (differs(have.hairpin, want.hairpin)) data.u8(IFLA_BRPORT_MODE, *want.hairpin ? 1 : 0);
  if (differs(have.cost, want.cost)) data.u32(IFLA_BRPORT_COST, *want.cost);
  if (differs(have.priority, want.priority)) data.u16(IFLA_BRPORT_PRIORITY, *want.priority);
  if (differs(have.group_fwd_mask, want.group_fwd_mask)) {
    data.u16(IFLA_BRPORT_GROUP_FWD_MASK, *want.group_fwd_mask);
  }
}

}  // namespace plumbline::detail
