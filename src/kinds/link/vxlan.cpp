// VXLANs (drivers/net/vxlan/vxlan_core.c).

#include <endian.h>
#include <linux/if_link.h>

#include "type.hpp"

namespace plumbline::detail {

namespace {

bool is_multicast(const IpAddress& address) {
  constexpr unsigned ipv6_multicast = 0xff;
  constexpr unsigned ipv4_multicast = 0xe;
  const auto first = static_cast<unsigned>(address.bytes().front());
  if (address.family() == Family::inet6) return first == ipv6_multicast;
  return first >> 4U == ipv4_multicast;
}

std::optional<IpAddress> endpoint_of(const wire::Entry& vxlan, std::string_view key) {
  const auto member = vxlan.find(key);
  if (!member) return std::nullopt;
  const auto address = member->parsed<IpAddress>(Code::invalid_link, "an IP address");
  if (!address) return std::nullopt;
  if (*address == IpAddress::any(address->family())) {
    member->error(Code::invalid_link, format(*address) + " stands for no address: leave it out");
    return std::nullopt;
  }
  return address;
}

/// What vxlan_config_validate() would refuse.
void check_endpoints(const wire::Entry& member, const VxlanOptions& vxlan) {
  if (vxlan.local && is_multicast(*vxlan.local)) {
    member.find("local")->error(Code::invalid_link, "the local address cannot be multicast");
  }
  if (vxlan.local && vxlan.remote && vxlan.local->family() != vxlan.remote->family()) {
    member.find("remote")->error(Code::invalid_link,
                                 "the local and the remote address are of different families");
  }
  const auto needs_device = [](const std::optional<IpAddress>& address) {
    return address && (is_multicast(*address) ||
                       (address->family() == Family::inet6 && is_link_local(*address)));
  };
  if (!member.has("device") && (needs_device(vxlan.local) || needs_device(vxlan.remote))) {
    member.error(Code::invalid_link, "a multicast or link-local address needs a 'device'");
  }
}

/// With neither address given the kernel decides for IPv4.
Family family_of(const VxlanOptions& vxlan) {
  if (vxlan.local) return vxlan.local->family();
  return vxlan.remote ? vxlan.remote->family() : Family::inet;
}

/// `none` stands for no address: it takes away what is there.
void add_endpoint(wire::MessageBuilder& data, const std::optional<IpAddress>& address,
                  const IpAddress& none, std::uint16_t inet, std::uint16_t inet6) {
  const IpAddress& sent = address ? *address : none;
  data.address(sent.family() == Family::inet ? inet : inet6, sent);
}

std::optional<VxlanOptions> vxlan_of(const wire::Entry& link, const IfName& self) {
  const auto member = link.require("vxlan");
  if (!member || !member->is_object()) return std::nullopt;
  member->only({"id", "local", "remote", "port", "device", "learning"});
  static_cast<void>(member->require("id"));
  constexpr std::int64_t last_id = (1 << 24) - 1;  // VXLAN_N_VID in include/net/vxlan.h
  VxlanOptions vxlan;
  vxlan.id = member->integer<std::uint32_t>("id", 0, last_id);
  vxlan.local = endpoint_of(*member, "local");
  vxlan.remote = endpoint_of(*member, "remote");
  vxlan.port = member->integer<std::uint16_t>("port", 1, UINT16_MAX);
  vxlan.device = other_link(*member, "device", self);
  vxlan.learning = member->boolean("learning");
  check_endpoints(*member, vxlan);
  return vxlan;
}

boost::json::object spec_of(const VxlanOptions& vxlan) {
  boost::json::object object;
  put(object, "id", vxlan.id);
  if (vxlan.local) object["local"] = format(*vxlan.local);
  if (vxlan.remote) object["remote"] = format(*vxlan.remote);
  put(object, "port", vxlan.port);
  if (vxlan.device) object["device"] = vxlan.device->view();
  put(object, "learning", vxlan.learning);
  return object;
}

void complete_vxlan(VxlanOptions& want, const VxlanOptions& have) {
  take(want.id, have.id);
  take(want.local, have.local);
  take(want.remote, have.remote);
  take(want.port, have.port);
  take(want.device, have.device);
  take(want.learning, have.learning);
}

/// The identifier and the port cannot be changed (vxlan_nl2conf()). The device could be, but not be
/// taken away again, and it may lower the MTU (vxlan_config_apply()). A group is joined only when
/// the link goes up, before Linux 6.14.
bool is_another_vxlan(const VxlanOptions& have, const VxlanOptions& want) {
  if (differs(have.id, want.id) || differs(have.port, want.port)) return true;
  if (differs(have.device, want.device)) return true;
  if ((want.local || want.remote) && family_of(have) != family_of(want)) return true;
  if (!differs(have.remote, want.remote)) return false;
  return is_multicast(*want.remote) || (have.remote && is_multicast(*have.remote));
}

/// `device`: the index of its device.
VxlanOptions read_vxlan(const wire::Attribute& data, std::uint32_t& device) {
  VxlanOptions options;
  wire::for_each_attribute(data.payload(), [&](const wire::Attribute& attribute) {
    switch (attribute.type()) {
      case IFLA_VXLAN_ID:
        options.id = attribute.u32();
        break;
      case IFLA_VXLAN_LOCAL:
      case IFLA_VXLAN_LOCAL6:
        options.local = attribute.address();
        break;
      case IFLA_VXLAN_GROUP:
      case IFLA_VXLAN_GROUP6:
        options.remote = attribute.address();
        break;
      case IFLA_VXLAN_PORT:
        options.port = be16toh(attribute.u16());
        break;
      case IFLA_VXLAN_LINK:
        device = attribute.u32();
        break;
      case IFLA_VXLAN_LEARNING:
        options.learning = attribute.u8() != 0;
        break;
      default:
        break;
    }
  });
  return options;
}

void change_vxlan(wire::MessageBuilder& data, const VxlanOptions& have, const VxlanOptions& want) {
  const IpAddress none = IpAddress::any(family_of(have));
  if (have.local != want.local) {
    add_endpoint(data, want.local, none, IFLA_VXLAN_LOCAL, IFLA_VXLAN_LOCAL6);
  }
  if (have.remote != want.remote) {
    add_endpoint(data, want.remote, none, IFLA_VXLAN_GROUP, IFLA_VXLAN_GROUP6);
  }
  if (differs(have.learning, want.learning)) data.u8(IFLA_VXLAN_LEARNING, *want.learning ? 1 : 0);
}

void make_vxlan(wire::MessageBuilder& data, const VxlanOptions& vxlan, std::uint32_t device) {
  data.u32(IFLA_VXLAN_ID, vxlan.id.value_or(0));
  data.u16(IFLA_VXLAN_PORT, htobe16(vxlan.port.value_or(default_vxlan_port)));
  if (vxlan.device) data.u32(IFLA_VXLAN_LINK, device);
  change_vxlan(data, VxlanOptions(), vxlan);
}

class Vxlan final : public LinkType {
 public:
  constexpr Vxlan() : LinkType(LinkKind::vxlan) {}

  void read_spec(const wire::Entry& entry, Link& link) const override {
    link.vxlan = vxlan_of(entry, link.name);
  }
  void write_spec(const Link& link, boost::json::object& object) const override {
    if (link.vxlan) object["vxlan"] = spec_of(*link.vxlan);
  }

  [[nodiscard]] std::optional<IfName> lower(const Link& link) const override {
    return link.vxlan ? link.vxlan->device : std::nullopt;
  }
  /// Which no two VXLANs have in common.
  [[nodiscard]] std::optional<LinkIdentity> identity(const Link& link) const override {
    if (!link.vxlan || !link.vxlan->id) return std::nullopt;
    const std::uint16_t port = link.vxlan->port.value_or(default_vxlan_port);
    return LinkIdentity{"vxlan " + std::to_string(*link.vxlan->id) + ' ' + std::to_string(port),
                        "a VXLAN of this id and port", "id"};
  }
  void complete(Link& want, const Link& have) const override {
    take(want.vxlan, have.vxlan);
    if (want.vxlan && have.vxlan) complete_vxlan(*want.vxlan, *have.vxlan);
  }
  [[nodiscard]] bool is_another(const Link& have, const Link& want) const override {
    return want.vxlan && is_another_vxlan(have.vxlan.value_or(VxlanOptions()), *want.vxlan);
  }
  [[nodiscard]] Disruption disruption(const Link& have, const Link& want) const override {
    if (!have.vxlan || !want.vxlan) return Disruption::nothing;
    const bool moves =
        have.vxlan->local != want.vxlan->local || have.vxlan->remote != want.vxlan->remote;
    return moves ? Disruption::traffic : Disruption::nothing;
  }

  void read(const wire::Attribute& data, Link& link, RawLink& raw) const override {
    link.vxlan = read_vxlan(data, raw.device);
  }
  void resolve(const RawLink& raw, const LinkNames& links, Link& link) const override {
    const bool has_device = link.vxlan && raw.device != 0 && !raw.is_elsewhere;
    if (has_device) link.vxlan->device = links.name(raw.device);
  }
  void add_new(wire::MessageBuilder& data, const Link& link, Making& making) const override {
    if (link.vxlan) make_vxlan(data, *link.vxlan, index_of(link.vxlan->device, making.links));
  }
  /// The MTU that a new one is given is cut to its device's without a word, later it is refused
  /// (vxlan_config_apply(), vxlan_change_mtu()).
  void settle_made(const Link& /*link*/, Link& made) const override { made.mtu.reset(); }
  void add_changes(wire::MessageBuilder& data, const Link& have, const Link& want) const override {
    if (have.vxlan && want.vxlan) change_vxlan(data, *have.vxlan, *want.vxlan);
  }
};

const Vxlan vxlan_links;

}  // namespace

const LinkType& vxlan_type() { return vxlan_links; }

}  // namespace plumbline::detail
