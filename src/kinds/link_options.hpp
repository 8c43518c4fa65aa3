// The options of each kind of link: read from a spec, shown, completed, decoded and sent.
//
// One source per kind (bridge.cpp, bridge_port.cpp, tap.cpp, veth.cpp, vxlan.cpp). What every link
// has is in link.cpp, link_spec.cpp, link_decode.cpp and link_requests.cpp, which call these.

#pragma once

#include <boost/json/object.hpp>
#include <optional>
#include <string_view>

#include "plumbline/kinds/link.hpp"
#include "plumbline/wire/entry.hpp"
#include "plumbline/wire/netlink.hpp"

namespace plumbline {

// ---- the spec: `link` is the entry of the link, whose member of that name is read ---------------

[[nodiscard]] std::optional<BridgeOptions> bridge_of(const wire::Entry& link);
[[nodiscard]] std::optional<PortSettings> port_of(const wire::Entry& link, LinkKind kind);
[[nodiscard]] std::optional<TapOptions> tap_of(const wire::Entry& link);
[[nodiscard]] std::optional<VethOptions> veth_of(const wire::Entry& link, const IfName& self);
[[nodiscard]] std::optional<VxlanOptions> vxlan_of(const wire::Entry& link, const IfName& self);

[[nodiscard]] boost::json::object to_spec(const BridgeOptions& bridge);
[[nodiscard]] boost::json::object to_spec(const PortSettings& port);
[[nodiscard]] boost::json::object to_spec(const TapOptions& tap);
[[nodiscard]] boost::json::object to_spec(const VethOptions& veth);
[[nodiscard]] boost::json::object to_spec(const VxlanOptions& vxlan);

/// The name of a link other than `self`, in the member `key` of `options`.
[[nodiscard]] std::optional<IfName> other_link(const wire::Entry& options, std::string_view key,
                                               const IfName& self);

// ---- one value becomes another ------------------------------------------------------------------

void complete(BridgeOptions& want, const BridgeOptions& have);
void complete(PortSettings& want, const PortSettings& have);
void complete(TapOptions& want, const TapOptions& have);
void complete(VethOptions& want, const VethOptions& have);
void complete(VxlanOptions& want, const VxlanOptions& have);

/// Whether a link of these options has to be made anew to have those that are wanted.
[[nodiscard]] bool is_another(const VethOptions& have, const VethOptions& want);
[[nodiscard]] bool is_another(const VxlanOptions& have, const VxlanOptions& want);

// ---- netlink: what IFLA_INFO_DATA holds, of a port IFLA_INFO_SLAVE_DATA -------------------------

[[nodiscard]] BridgeOptions read_bridge(const wire::Attribute& data);
[[nodiscard]] PortSettings read_port(const wire::Attribute& data);
/// Nothing of a TUN, which is of the same kind to rtnetlink.
[[nodiscard]] std::optional<TapOptions> read_tap(const wire::Attribute& data);
/// The index of its device comes apart: 0 when it has none.
struct SeenVxlan {
  VxlanOptions options;
  std::uint32_t device = 0;
};
[[nodiscard]] SeenVxlan read_vxlan(const wire::Attribute& data);

/// Adds what `want` says and `have` does not.
void add_changes(wire::MessageBuilder& data, const BridgeOptions& have, const BridgeOptions& want);
void add_changes(wire::MessageBuilder& data, const PortSettings& have, const PortSettings& want);
/// Both are of one link, and is_another() denies that they differ in more than can be changed.
void add_changes(wire::MessageBuilder& data, const VxlanOptions& have, const VxlanOptions& want);
/// All that makes a new one. `device` is the index of its device.
void add_new(wire::MessageBuilder& data, const VxlanOptions& vxlan, std::uint32_t device);

// ---- small parts --------------------------------------------------------------------------------

template <class T>
void take(std::optional<T>& want, const std::optional<T>& have) {
  if (!want) want = have;
}

/// Whether `want` says something that is not so.
template <class T>
[[nodiscard]] bool differs(const std::optional<T>& have, const std::optional<T>& want) {
  return want && have != want;
}

template <class T>
void put(boost::json::object& object, std::string_view key, const std::optional<T>& value) {
  if (value) object[key] = *value;
}

}  // namespace plumbline
