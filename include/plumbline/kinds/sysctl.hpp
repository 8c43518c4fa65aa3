// Kernel settings below /proc/sys/net: sysctl(8).
//
// A sysctl cannot carry a mark. Which ones we set, and what they were, is in the engine's ledger.

#pragma once

#include "plumbline/kinds/kind.hpp"
#include "plumbline/wire/entry.hpp"

namespace plumbline {

struct Sysctl {
  static constexpr std::string_view kind_name = "sysctl";
  static constexpr Disruption loss = Disruption::nothing;
  static constexpr Asked asked = Asked::in_scope;
  static constexpr bool is_setting = true;
  static constexpr std::string_view why_not_adopted =
      "needs no adopting: a spec takes it as it is, and it is put back in the end";
  struct Key {
    std::string path;

    auto operator<=>(const Key&) const = default;
  };

  std::string path;   ///< with slashes, `net/ipv4/ip_forward`
  std::string value;  ///< white space folded to single spaces, as the kernel prints tabs

  bool operator==(const Sysctl&) const = default;

  /// Reads each of the scope's.
  static std::vector<wire::Request> queries(const Scope& scope);
  /// A sysctl that is not there (ENOENT) gives no value, though something may hold without it
  /// (value_without_ipv6()); any other error throws.
  static void decode(const wire::Request& request, const wire::Reply& reply, const LinkNames& links,
                     std::vector<Sysctl>& out);
  /// A member of `sysctls`.
  static std::optional<Sysctl> from_spec(const wire::Entry& entry);
};

[[nodiscard]] Sysctl::Key key(const Sysctl& sysctl);
/// `sysctl net.ipv4.ip_forward`; with slashes where a name has a dot.
[[nodiscard]] std::string format(const Sysctl::Key& key);
/// The link whose settings it is, if it is one's.
[[nodiscard]] std::vector<Need> needs(const Sysctl& sysctl);
/// Never: the ledger knows.
[[nodiscard]] bool is_marked(const Sysctl& sysctl, const Mark& mark);
/// One of a link needs that.
[[nodiscard]] Stage stage(const Sysctl& sysctl);
[[nodiscard]] Sysctl with_mark(Sysctl sysctl, const Mark& mark);
[[nodiscard]] Sysctl complete(Sysctl want, const Sysctl& have);
[[nodiscard]] Transition transition(const Sysctl& have, const Sysctl& want);
/// A sysctl is there or not, as the kernel has it: creating is writing, removing asks for nothing.
[[nodiscard]] std::vector<wire::Request> create(const Sysctl& sysctl, const LinkNames& links);
[[nodiscard]] std::vector<wire::Request> update(const Sysctl& have, const Sysctl& want,
                                                const LinkNames& links);
[[nodiscard]] std::vector<wire::Request> remove(const Sysctl& sysctl, const LinkNames& links);
[[nodiscard]] boost::json::value to_spec(const Sysctl& sysctl);

/// The link in net/ipv4/conf/LINK/…, net/ipv6/neigh/LINK/… and their like.
[[nodiscard]] std::optional<IfName> link_of(std::string_view path);
/// The same setting of another link; `path` is that of a link's.
[[nodiscard]] std::string path_on(std::string_view path, const IfName& link);

/// What holds of a link without IPv6, which has no such sysctl: that it takes no IPv6, and no word
/// of a router. Nothing for all others. A kernel may be told to have none, and no link has it whose
/// MTU is too small (addrconf_notify() in net/ipv6/addrconf.c).
[[nodiscard]] std::optional<std::string_view> value_without_ipv6(std::string_view path);

/// The other sysctls that the kernel changes along when this one is written, other names of the
/// same variable left out. Measured, by writing each: `ip_forward` writes every `forwarding` and
/// `all/accept_redirects` (net/ipv4/devinet.c, inet_forward_change()); a few of IPv6 `all` write
/// every link's, `stable_secret` the `addr_gen_mode` (net/ipv6/addrconf.c); IPv4 `default`, but for
/// `forwarding`, and `neigh/default` write the links' that nobody has written yet
/// (devinet_copy_dflt_conf(), neigh_copy_dflt_parms() in net/core/neighbour.c).
[[nodiscard]] std::vector<std::string> changed_along(const Sysctl& sysctl,
                                                     const std::vector<IfName>& links);
/// What the kernel writes to `path` along with `written`; nothing: it leaves that alone. A link's
/// that was written before, or that has an address, does not follow IPv4 `default`.
[[nodiscard]] std::optional<std::string> value_along(const Sysctl& written, std::string_view path);

[[nodiscard]] constexpr bool is_only_set(const Sysctl& /*sysctl*/) { return true; }
[[nodiscard]] wire::Request read_request(const Sysctl& sysctl);
/// A link without IPv6 is as it shall be.
[[nodiscard]] bool holds_where_absent(const Sysctl& sysctl);

static_assert(ResourceKind<Sysctl>);

}  // namespace plumbline
