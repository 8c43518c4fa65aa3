// What we may ask of the kernel and of the iptables programs, and what comes back.
//
// A closed set: a kind builds Requests, io::Host carries them out. Neither knows the other, so a
// kind can be tested without a kernel and a Host without a kind.

#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "plumbline/base/family.hpp"
#include "plumbline/base/if_name.hpp"

namespace plumbline::wire {

using Bytes = std::vector<std::byte>;

/// One complete rtnetlink message; the Host sets its sequence number and asks for the ack.
struct NetlinkChange {
  Bytes message;

  bool operator==(const NetlinkChange&) const = default;
};

/// A NetlinkChange that hands the kernel another network namespace: the Host opens it just before
/// sending, and puts its descriptor into the four bytes at `place`. When it cannot be opened
/// nothing is sent: ENOENT, with words, when there is none, else the errno of opening it.
struct NamespaceChange {
  Bytes message;
  std::string netns;      ///< a name below /run/netns, or a path
  std::size_t place = 0;  ///< of the value of IFLA_NET_NS_FD

  bool operator==(const NamespaceChange&) const = default;
};

/// One rtnetlink dump (NLM_F_DUMP is set by the Host). The Reply's `bytes` are its messages.
/// An interrupted or truncated dump is made again by the Host, never returned.
struct NetlinkDump {
  Bytes message;

  bool operator==(const NetlinkDump&) const = default;
};

/// A TAP made or re-attached through /dev/net/tun, as rtnetlink cannot (drivers/net/tun.c).
/// For a new one the order is TUNSETIFF, owner, group, alias, TUNSETPERSIST: a crash before the
/// last leaves nothing behind.
struct TapChange {
  enum class Action : std::uint8_t { create, set_owner };

  Action action = Action::create;
  IfName name;
  std::optional<std::uint32_t> owner;  ///< uid; the kernel has no way to take an owner away
  std::optional<std::uint32_t> group;  ///< gid; likewise
  bool multi_queue = false;
  bool vnet_header = false;
  std::string alias;  ///< create only

  bool operator==(const TapChange&) const = default;
};

/// Reads /proc/sys/`path` into the Reply's `text`, without the newline at its end.
struct SysctlRead {
  std::string path;  ///< with slashes, `net/ipv4/ip_forward`
  /// Only asks whether it could be written: the Reply has no text, and the error if not.
  bool for_writing = false;

  bool operator==(const SysctlRead&) const = default;
};

struct SysctlWrite {
  std::string path;
  std::string value;

  bool operator==(const SysctlWrite&) const = default;
};

/// The text of iptables-save for every table of a family into the Reply's `text`.
struct FirewallDump {
  Family family = Family::inet;

  bool operator==(const FirewallDump&) const = default;
};

/// One `iptables-restore --noflush` of one table: atomic, all of it or nothing.
struct FirewallRestore {
  Family family = Family::inet;
  std::string text;  ///< from `*table` to `COMMIT`

  bool operator==(const FirewallRestore&) const = default;
};

/// Deletes a table that holds no chain and no rule of anybody, as `iptables` itself never does.
/// Nothing happens where it is not empty or not there.
struct FirewallDropTable {
  Family family = Family::inet;
  std::string table;

  bool operator==(const FirewallDropTable&) const = default;
};

/// One question to nfnetlink, a dump where its flags say NLM_F_DUMP. The Reply's `bytes` are the
/// answering messages.
struct NetfilterQuery {
  Bytes message;

  bool operator==(const NetfilterQuery&) const = default;
};

/// Changes by way of nfnetlink that are no transaction: each message is carried out by itself. The
/// Reply has the first error.
struct NetfilterChange {
  Bytes messages;  ///< whole messages, one after the other

  bool operator==(const NetfilterChange&) const = default;
};

/// One nf_tables transaction over any tables and families: all of it or nothing, and only while
/// nf_tables is at `generation` (0: whatever it is at), else ERESTART. firewall/bytes/nftables.hpp
/// writes it.
struct NftBatch {
  Bytes messages;  ///< whole messages, without the batch's begin and end
  std::uint32_t generation = 0;

  bool operator==(const NftBatch&) const = default;
};

/// One dump of a family of generic netlink. The Host looks the family's number up, which may load
/// its module, and sets it as the message's type. EPROTONOSUPPORT where the kernel has none such.
struct GenericDump {
  std::string family;
  Bytes message;

  bool operator==(const GenericDump&) const = default;
};

/// One change by way of a family of generic netlink; likewise.
struct GenericChange {
  std::string family;
  Bytes message;

  bool operator==(const GenericChange&) const = default;
};

/// Nothing but a look at the other iptables: where it holds rules too the Reply's `message` says
/// so.
struct FirewallRivals {
  Family family = Family::inet;

  bool operator==(const FirewallRivals&) const = default;
};

using Request =
    std::variant<NetlinkChange, NamespaceChange, NetlinkDump, TapChange, SysctlRead, SysctlWrite,
                 FirewallDump, FirewallRestore, FirewallDropTable, NetfilterQuery, NetfilterChange,
                 NftBatch, GenericDump, GenericChange, FirewallRivals>;

/// `error` is an errno value, 0 when it was done. `message` is what the kernel's extended ack or
/// the program's standard error said, and may be there without an error: a warning.
struct Reply {
  int error = 0;
  std::string message;
  std::string text;  ///< of a read or a firewall dump
  Bytes bytes;       ///< of a netlink dump: whole messages, one after the other
  /// Of a batch that failed: the message at fault, counted from 0; nothing when none was named.
  std::optional<std::size_t> place = std::nullopt;

  bool operator==(const Reply&) const = default;
};

}  // namespace plumbline::wire
