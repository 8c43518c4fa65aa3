// The links of a simulated namespace: messages that change them, and what goes along.
//
// Modelled are bridges, veth pairs, ifbs, VXLANs and TAPs, and `lo`. A link of another kind is
// refused as by a kernel that lacks its module.

#pragma once

#include "plumbline/wire/netlink.hpp"
#include "tests/sim/attributes.hpp"
#include "tests/sim/namespace.hpp"

namespace plumbline::sim {

// ---- messages; each throws Refusal --------------------------------------------------------------

void new_link(Namespace& there, const wire::Message& message);
void set_link(Namespace& there, const wire::Message& message);
void remove_link(Namespace& there, const wire::Message& message);
/// RTM_NEWLINKPROP and RTM_DELLINKPROP.
void change_altnames(Namespace& there, const wire::Message& message);
void change_tap(Namespace& there, const wire::TapChange& change);
[[nodiscard]] wire::Bytes dump_links(const Namespace& there);

// ---- what becomes of a link (link_events.cpp) ---------------------------------------------------

/// Registers `device`, whose name is free. `index` 0: the next one.
Device& register_device(Namespace& there, Device device, int index = 0);
/// Takes the link away, with all that depends on it.
void unregister_device(Namespace& there, int index);
void open_device(Namespace& there, Device& device);
void close_device(Namespace& there, Device& device);
/// By somebody's wish; refuses what the link cannot have.
void set_mtu(Namespace& there, Device& device, std::uint32_t mtu);
void set_mac(Namespace& there, Device& device, std::span<const std::byte> mac);
/// Takes it from its bridge, and puts it into that of the index, 0 being none.
void set_master(Namespace& there, Device& device, int master);

// ---- kinds (link_kinds.cpp) ---------------------------------------------------------------------

/// Refuses what no link of that kind can have; `info` is IFLA_LINKINFO.
void validate(const std::string& kind, const Attributes& link, const Attributes& info);
/// Sets up what is special about a new link of the kind, before it is registered.
void prepare(Namespace& there, Device& device, const Attributes& link, const Attributes& data);
void change_bridge(Device& device, const Attributes& data);
void change_port(Device& device, const Attributes& data);
void change_vxlan(Namespace& there, Device& device, const Attributes& data);
/// What a VXLAN adds to a packet.
[[nodiscard]] std::uint32_t headroom(const Vxlan& vxlan);
/// IFLA_LINKINFO of a dump.
void put_kind(wire::MessageBuilder& message, const Device& device);

/// The MAC of a bridge that nobody gave one, and its MTU: those of its ports.
void follow_ports(Namespace& there, int bridge, bool also_mtu);

/// Puts it right that a name is none that a link can have.
void check_name(const std::string& name);

}  // namespace plumbline::sim
