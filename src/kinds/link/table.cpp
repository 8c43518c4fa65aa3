// The kinds of links that a spec can have made, and what a type does where it says nothing.

#include <array>

#include "type.hpp"

namespace plumbline::detail {

const LinkType& bridge_type();
const LinkType& tap_type();
const LinkType& veth_type();
const LinkType& vxlan_type();
const LinkType& ifb_type();
const LinkType& dummy_type();
const LinkType& vlan_type();
const LinkType& wireguard_type();

std::span<const LinkType* const> link_types() {
  static const std::array types{&bridge_type(), &tap_type(),   &veth_type(), &vxlan_type(),
                                &ifb_type(),    &dummy_type(), &vlan_type(), &wireguard_type()};
  return types;
}

namespace {

class NoType final : public LinkType {
 public:
  constexpr NoType() : LinkType(LinkKind::physical) {}
};

}  // namespace

const LinkType& type_of(LinkKind kind) {
  static const auto by_kind = [] {
    static const NoType none;
    std::array<const LinkType*, static_cast<std::size_t>(LinkKind::other) + 1> all{};
    all.fill(&none);
    for (const LinkType* type : link_types()) all.at(static_cast<std::size_t>(type->kind())) = type;
    // A TAP and a TUN are of one kind to rtnetlink; its data tell.
    all.at(static_cast<std::size_t>(LinkKind::tun)) = &tap_type();
    return all;
  }();
  return *by_kind.at(static_cast<std::size_t>(kind));
}

void LinkType::read_spec(const wire::Entry& entry, Link& /*link*/) const {
  if (const auto member = entry.find(format(kind_))) member->only({});
}
void LinkType::write_spec(const Link& /*link*/, boost::json::object& /*object*/) const {}
std::optional<IfName> LinkType::lower(const Link& /*link*/) const { return std::nullopt; }
std::optional<NeedsLink> LinkType::needs(const Link& link) const {
  const auto below = lower(link);
  return below ? std::optional(NeedsLink{*below}) : std::nullopt;
}
std::optional<LinkIdentity> LinkType::identity(const Link& /*link*/) const { return std::nullopt; }
void LinkType::complete(Link& /*want*/, const Link& /*have*/) const {}
bool LinkType::is_another(const Link& /*have*/, const Link& /*want*/) const { return false; }
Disruption LinkType::disruption(const Link& /*have*/, const Link& /*want*/) const {
  return Disruption::nothing;
}
std::string LinkType::obstacle(const Link& /*have*/, const Link& /*want*/) const { return {}; }
void LinkType::read(const wire::Attribute& /*data*/, Link& /*link*/, RawLink& /*raw*/) const {}
void LinkType::resolve(const RawLink& /*raw*/, const LinkNames& /*links*/, Link& /*link*/) const {}
void LinkType::add_new(wire::MessageBuilder& /*data*/, const Link& /*link*/,
                       Making& /*making*/) const {}
void LinkType::settle_made(const Link& /*link*/, Link& /*made*/) const {}
void LinkType::add_changes(wire::MessageBuilder& /*data*/, const Link& /*have*/,
                           const Link& /*want*/) const {}
std::optional<Link> LinkType::by_way_of(const Link& /*have*/, const Link& /*want*/) const {
  return std::nullopt;
}

}  // namespace plumbline::detail
