// A kind of link: what its links have besides what every link has.
//
// One source per kind (bridge.cpp, vxlan.cpp, …), each with one LinkType, which table.cpp lists.
// What every link has is in link.cpp, spec.cpp, decode.cpp and requests.cpp: they ask the type for
// the rest and name no kind but for a TAP, which is not made by rtnetlink, and a veth pair, which
// is two links. A kind whose options are numbers and flags is a table of them: option_table.hpp.

#pragma once

#include <boost/json/object.hpp>
#include <climits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plumbline/kinds/link.hpp"
#include "plumbline/wire/entry.hpp"
#include "plumbline/wire/netlink.hpp"

namespace plumbline::detail {

/// What a dump says of a link by index, before all links are known by name.
struct RawLink {
  std::string_view alias;
  std::uint32_t group = 0;
  std::uint32_t master = 0;
  std::uint32_t lower = 0;    ///< IFLA_LINK
  std::uint32_t device = 0;   ///< of a VXLAN
  bool is_elsewhere = false;  ///< `lower` and `device` are of another network namespace
};

/// What the message that makes a link has to know, and tells.
struct Making {
  const LinkNames& links;
  std::size_t netns_place = 0;  ///< of the value of IFLA_NET_NS_FD; 0: there is none
};

/// Most of a queue that is an array of pointers in one piece: KMALLOC_MAX_SIZE, 4 MiB
/// (__ptr_ring_init_queue_alloc() in include/linux/ptr_ring.h).
inline constexpr std::uint32_t most_in_ptr_ring = (std::uint32_t{4} << 20U) / 8;

/// Each function does nothing, or says that there is nothing, where a type leaves it as it is here.
class LinkType {
 public:
  constexpr explicit LinkType(LinkKind kind) : kind_(kind) {}
  LinkType(const LinkType&) = delete;
  LinkType& operator=(const LinkType&) = delete;

  [[nodiscard]] constexpr LinkKind kind() const { return kind_; }

  // ---- limits -----------------------------------------------------------------------------------

  [[nodiscard]] virtual bool has_mac() const { return true; }
  /// ETH_MAX_MTU
  [[nodiscard]] virtual std::uint32_t most_mtu() const { return 65535; }
  [[nodiscard]] virtual std::uint32_t most_in_queue() const { return INT_MAX; }

  // ---- the spec ---------------------------------------------------------------------------------

  /// Reads the member of `entry`, a link of the spec, that is named as the kind.
  virtual void read_spec(const wire::Entry& entry, Link& link) const;
  /// Adds that member to `object`.
  virtual void write_spec(const Link& link, boost::json::object& object) const;

  // ---- values -----------------------------------------------------------------------------------

  /// The link that it is laid over, and goes with.
  [[nodiscard]] virtual std::optional<IfName> lower(const Link& link) const;
  /// That link, and whether it has to be up.
  [[nodiscard]] virtual std::optional<NeedsLink> needs(const Link& link) const;
  [[nodiscard]] virtual std::optional<LinkIdentity> identity(const Link& link) const;
  /// Takes over from `have` what `want` leaves open.
  virtual void complete(Link& want, const Link& have) const;
  /// Whether a link that is `have` has to be made anew to be as wanted.
  [[nodiscard]] virtual bool is_another(const Link& have, const Link& want) const;
  [[nodiscard]] virtual Disruption disruption(const Link& have, const Link& want) const;
  /// What has to happen first; empty when nothing has.
  [[nodiscard]] virtual std::string obstacle(const Link& have, const Link& want) const;

  // ---- netlink ----------------------------------------------------------------------------------

  /// Reads IFLA_INFO_DATA.
  virtual void read(const wire::Attribute& data, Link& link, RawLink& raw) const;
  /// Gives the indexes in `raw` their names.
  virtual void resolve(const RawLink& raw, const LinkNames& links, Link& link) const;
  /// Whether the message that makes one says lower() as IFLA_LINK.
  [[nodiscard]] virtual bool is_made_over_lower() const { return false; }
  /// What IFLA_INFO_DATA of that message holds.
  virtual void add_new(wire::MessageBuilder& data, const Link& link, Making& making) const;
  /// What is left of `made` for the messages behind it to see as not given yet.
  virtual void settle_made(const Link& link, Link& made) const;
  /// What IFLA_INFO_DATA of a change holds, where is_another() denies that one will not do.
  virtual void add_changes(wire::MessageBuilder& data, const Link& have, const Link& want) const;
  /// A state between, where the kernel does not take the change in one message.
  [[nodiscard]] virtual std::optional<Link> by_way_of(const Link& have, const Link& want) const;

 protected:
  ~LinkType() = default;

 private:
  LinkKind kind_;
};

/// The kinds that a spec can have made, in the order in which a message lists them.
[[nodiscard]] std::span<const LinkType* const> link_types();
/// One that has nothing of its own, where no spec can have such a link made.
[[nodiscard]] const LinkType& type_of(LinkKind kind);

// ---- ports of bridges ---------------------------------------------------------------------------

[[nodiscard]] std::optional<PortSettings> port_of(const wire::Entry& link, LinkKind kind);
[[nodiscard]] boost::json::object to_spec(const PortSettings& port);
void complete(PortSettings& want, const PortSettings& have);
/// IFLA_INFO_SLAVE_DATA
[[nodiscard]] PortSettings read_port(const wire::Attribute& data);
/// Adds what `want` says and `have` does not.
void add_changes(wire::MessageBuilder& data, const PortSettings& have, const PortSettings& want);

// ---- small parts --------------------------------------------------------------------------------

/// The name of a link other than `self`, in the member `key` of `options`.
[[nodiscard]] std::optional<IfName> other_link(const wire::Entry& options, std::string_view key,
                                               const IfName& self);

/// The index of a link that a message names: 0 for none. One that no link has, where there is none
/// of that name, makes the kernel refuse.
[[nodiscard]] std::uint32_t index_of(const std::optional<IfName>& name, const LinkNames& links);

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

}  // namespace plumbline::detail
