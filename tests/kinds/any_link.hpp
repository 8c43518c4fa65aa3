// Random links for properties: as a spec may want them, or whole as they are observed.

#pragma once

#include <rapidcheck.h>

#include "plumbline/kinds/link.hpp"

namespace plumbline::test {

inline IfName name(std::string_view text) { return IfName::parse(text).value(); }

template <class T>
std::optional<T> maybe(const rc::Gen<T>& gen, bool always) {
  if (!always && *rc::gen::arbitrary<bool>()) return std::nullopt;
  return *gen;
}

inline std::optional<bool> maybe_bool(bool always) {
  return maybe(rc::gen::arbitrary<bool>(), always);
}

inline std::optional<std::uint32_t> maybe_number(std::uint32_t min, std::uint32_t max,
                                                 bool always) {
  return maybe(rc::gen::inRange<std::uint32_t>(min, max + 1), always);
}

inline PortSettings any_port(bool whole) {
  PortSettings port;
  port.isolated = maybe_bool(whole);
  port.learning = maybe_bool(whole);
  port.hairpin = maybe_bool(whole);
  port.cost = maybe_number(1, 65535, whole);
  port.priority = maybe(rc::gen::inRange<std::uint16_t>(0, 64), whole);
  port.group_fwd_mask = maybe(rc::gen::inRange<std::uint16_t>(0, UINT16_MAX), whole);
  if (port.group_fwd_mask) *port.group_fwd_mask &= static_cast<std::uint16_t>(~mac_pause);
  return port;
}

inline BridgeOptions any_bridge(bool whole) {
  BridgeOptions bridge;
  bridge.stp = maybe_bool(whole);
  bridge.forward_delay = 100 * *rc::gen::inRange<std::uint32_t>(2, 31);
  if (bridge.stp != true && *rc::gen::arbitrary<bool>()) bridge.forward_delay = 0;
  bridge.ageing_time = 100 * *rc::gen::inRange<std::uint32_t>(0, 1000);
  bridge.vlan_filtering = maybe_bool(whole);
  bridge.multicast_snooping = maybe_bool(whole);
  bridge.no_linklocal_learn = maybe_bool(whole);
  return bridge;
}

inline TapOptions any_tap(bool whole) {
  return {maybe_number(0, 70000, whole), maybe_number(0, 70000, whole), maybe_bool(whole),
          maybe_bool(whole)};
}

inline VxlanOptions any_vxlan(bool whole) {
  const bool ipv6 = *rc::gen::arbitrary<bool>();
  VxlanOptions vxlan;
  vxlan.id = *rc::gen::inRange<std::uint32_t>(0, 1 << 24);
  const auto address = [&](const char* inet, const char* inet6) {
    return maybe(rc::gen::just(*IpAddress::parse(ipv6 ? inet6 : inet)), whole);
  };
  vxlan.local = address("192.0.2.1", "2001:db8::1");
  vxlan.remote = address("192.0.2.2", "2001:db8::2");
  vxlan.port = maybe(rc::gen::inRange<std::uint16_t>(1, 65535), whole);
  vxlan.device = maybe(rc::gen::just(name("under")), whole);
  vxlan.learning = maybe_bool(whole);
  return vxlan;
}

/// The options of a VLAN, in the order of src/kinds/link/vlan.cpp.
inline std::vector<std::optional<std::uint64_t>> any_vlan(bool whole) {
  constexpr std::size_t flags = 5;
  std::vector<std::optional<std::uint64_t>> options;
  options.push_back(maybe(rc::gen::element<std::uint64_t>(0x8100, 0x88a8), whole));
  options.push_back(*rc::gen::inRange<std::uint64_t>(0, 4095));
  for (std::size_t i = 0; i < flags; ++i) {
    options.push_back(maybe(rc::gen::inRange<std::uint64_t>(0, 2), whole));
  }
  return options;
}

/// A link as the spec may want it or, when `whole`, as it is observed: nothing left open.
inline Link any_link(LinkKind kind, bool whole) {
  Link link;
  link.name = name("here");
  link.kind = kind;
  link.up = *rc::gen::arbitrary<bool>();
  link.mtu = maybe_number(68, 65535, whole);
  if (whole || *rc::gen::arbitrary<bool>()) link.mac = Mac::parse("02:00:00:00:00:07");
  if (whole || *rc::gen::arbitrary<bool>()) link.master = name("br0");
  link.tx_queue_length = maybe_number(0, 5000, whole);
  if (whole || *rc::gen::arbitrary<bool>()) link.alias = "the \"uplink\"; äöü";
  if (kind == LinkKind::tap && *rc::gen::arbitrary<bool>()) {
    link.assignment = "br0/vm-1/eth0,10.0.0.2/24,02:00:00:00:00:10,eth0";
  }
  if (kind == LinkKind::bridge) link.bridge = any_bridge(whole);
  if (kind == LinkKind::tap) link.tap = any_tap(whole);
  if (kind == LinkKind::veth) link.veth = VethOptions{name("there")};
  if (kind == LinkKind::vxlan) link.vxlan = any_vxlan(whole);
  if (kind == LinkKind::vlan) {
    link.device = name("under");
    link.options = any_vlan(whole);
  }
  if (link.master) link.port = any_port(whole);
  return link;
}

inline LinkKind any_kind() {
  return *rc::gen::element(LinkKind::physical, LinkKind::bridge, LinkKind::tap, LinkKind::veth,
                           LinkKind::vxlan, LinkKind::ifb, LinkKind::dummy, LinkKind::vlan);
}

}  // namespace plumbline::test
