// iptables chains: whole chains of ours, and our rules in chains that others share.
//
// Wanted rules come from the spec as a person wrote them; engine::compile has the installed
// iptables turn them into what the kernel holds before anything is compared. The requests made here
// are the restore lines of the legacy backend; on nf_tables they are committed as bytes
// (firewall/commit/transaction.hpp). Nothing here knows a match or a target.

#pragma once

#include "plumbline/firewall/model/rule.hpp"
#include "plumbline/kinds/kind.hpp"
#include "plumbline/wire/entry.hpp"

namespace plumbline {

/// A firewall table: family and name.
using TableKey = std::pair<Family, std::string>;

inline constexpr std::string_view chains_are_not_adopted =
    "cannot be adopted: apply a spec with chains of its own beside it, then remove this one with "
    "what made it";

/// A chain of ours, whole. On the observed side every user-defined chain is one, foreign ones too.
struct Chain {
  static constexpr std::string_view kind_name = "chain";
  static constexpr Disruption loss = Disruption::nothing;
  static constexpr Asked asked = Asked::in_scope;
  static constexpr bool needed_by_name = true;
  static constexpr std::string_view why_not_adopted = chains_are_not_adopted;
  struct Key {
    Family family = Family::inet;
    std::string table;
    std::string name;

    auto operator<=>(const Key&) const = default;
  };

  Family family = Family::inet;
  std::string table;
  std::string name;
  /// In a chain of ours the last one is our mark: `-m comment --comment plumbline`, without a
  /// target.
  RuleList rules;
  /// That rule is somewhere in it, or nf_tables keeps our mark with the chain: it is ours, whatever
  /// anybody did to its rules.
  bool marked = false;

  bool operator==(const Chain&) const = default;

  /// Both kinds of chains are observed together, from one reading (firewall/observe).
  static std::vector<wire::Request> queries(const Scope& /*scope*/) { return {}; }
  static void decode(const wire::Request& /*request*/, const wire::Reply& /*reply*/,
                     const LinkNames& /*links*/, std::vector<Chain>& /*out*/) {}
  /// A member of a table's `chains`.
  static std::optional<Chain> from_spec(const wire::Entry& entry, Family family,
                                        std::string_view table);
};

[[nodiscard]] Chain::Key key(const Chain& chain);
/// `chain inet filter APP-EGRESS`
[[nodiscard]] std::string format(const Chain::Key& key);
/// The ipsets its rules name. The user-defined chains they jump to are found by the planner, which
/// knows all names.
[[nodiscard]] std::vector<Need> needs(const Chain& chain);
[[nodiscard]] bool is_marked(const Chain& chain, const Mark& mark);
[[nodiscard]] constexpr Stage stage(const Chain& /*chain*/) { return Stage::guard; }
[[nodiscard]] Chain with_mark(Chain chain, const Mark& mark);
[[nodiscard]] Chain complete(Chain want, const Chain& have);
[[nodiscard]] Transition transition(const Chain& have, const Chain& want);
/// The engine merges the restores of one table and family into one.
[[nodiscard]] std::vector<wire::Request> create(const Chain& chain, const LinkNames& links);
[[nodiscard]] std::vector<wire::Request> update(const Chain& have, const Chain& want,
                                                const LinkNames& links);
[[nodiscard]] std::vector<wire::Request> remove(const Chain& chain, const LinkNames& links);
[[nodiscard]] boost::json::value to_spec(const Chain& chain);

[[nodiscard]] constexpr bool is_of_table(const Chain::Key& /*key*/) { return true; }
/// An empty one.
[[nodiscard]] inline bool is_ours_when_wanted(const Chain& chain) { return chain.rules.empty(); }
template <class To>
void provide(const Chain& chain, To& to) {
  to.chain(NeedsChain{chain.family, chain.table, chain.name});
}
/// The user-defined chains that rules lead to: any other target is one of iptables itself.
void needs_among(const Chain& chain, const ChainNames& chains, std::set<Need>& add);

static_assert(ResourceKind<Chain>);

/// Our rules in a chain that is not ours: a built-in one, or somebody else's.
struct SharedChain {
  static constexpr std::string_view kind_name = "shared";
  static constexpr Disruption loss = Disruption::nothing;
  static constexpr Asked asked = Asked::in_scope;
  static constexpr std::string_view why_not_adopted = chains_are_not_adopted;
  struct Key {
    Family family = Family::inet;
    std::string table;
    std::string name;

    auto operator<=>(const Key&) const = default;
  };

  Family family = Family::inet;
  std::string table;
  std::string name;
  /// Of a built-in chain: ACCEPT or DROP. Wanted side: nothing is not managed.
  std::optional<std::string> policy;
  RuleList insert;  ///< ours, together at the top, with our comment
  RuleList append;  ///< ours, together at the end, with our comment

  // ---- only observed, never wanted
  RuleList strays;                        ///< ours, between foreign rules: to be moved or removed
  std::vector<std::size_t> stray_places;  ///< of each stray, counted from 1, to undo a move
  bool only_ours = true;                  ///< no foreign rule, so that top and end are one place

  bool operator==(const SharedChain&) const = default;

  static std::vector<wire::Request> queries(const Scope& /*scope*/) { return {}; }
  static void decode(const wire::Request& /*request*/, const wire::Reply& /*reply*/,
                     const LinkNames& /*links*/, std::vector<SharedChain>& /*out*/) {}
  /// A member of a table's `shared`.
  static std::optional<SharedChain> from_spec(const wire::Entry& entry, Family family,
                                              std::string_view table);
};

[[nodiscard]] SharedChain::Key key(const SharedChain& chain);
/// `shared inet filter FORWARD`
[[nodiscard]] std::string format(const SharedChain::Key& key);
/// A chain that is not built in must be there.
[[nodiscard]] std::vector<Need> needs(const SharedChain& chain);
/// Whether any rule of ours is in it.
[[nodiscard]] bool is_marked(const SharedChain& chain, const Mark& mark);
[[nodiscard]] constexpr Stage stage(const SharedChain& /*chain*/) { return Stage::guard; }
[[nodiscard]] SharedChain with_mark(SharedChain chain, const Mark& mark);
[[nodiscard]] SharedChain complete(SharedChain want, const SharedChain& have);
[[nodiscard]] Transition transition(const SharedChain& have, const SharedChain& want);
[[nodiscard]] std::vector<wire::Request> create(const SharedChain& chain, const LinkNames& links);
[[nodiscard]] std::vector<wire::Request> update(const SharedChain& have, const SharedChain& want,
                                                const LinkNames& links);
[[nodiscard]] std::vector<wire::Request> remove(const SharedChain& chain, const LinkNames& links);
[[nodiscard]] boost::json::value to_spec(const SharedChain& chain);

[[nodiscard]] constexpr bool is_of_table(const SharedChain::Key& /*key*/) { return true; }
/// The chain; our rules in it come and go.
[[nodiscard]] constexpr bool is_only_set(const SharedChain& /*chain*/) { return true; }
void needs_among(const SharedChain& chain, const ChainNames& chains, std::set<Need>& add);
/// Back to what a chain is that nobody has touched: a built-in one that is not there yet comes with
/// the policy ACCEPT.
[[nodiscard]] SharedChain bare(const SharedChain& chain);
[[nodiscard]] std::vector<wire::Request> unmake(const SharedChain& chain, const LinkNames& links);
/// A policy, which carries no mark.
[[nodiscard]] bool may_be_of_ours(const SharedChain& chain);

static_assert(ResourceKind<SharedChain>);

/// Whether the table of the family has a built-in chain of that name (iptables(8), "TABLES").
[[nodiscard]] bool is_builtin_chain(Family family, std::string_view table, std::string_view name);

/// A chain as a host has it, with all its rules in order.
struct HaveChain {
  Family family = Family::inet;
  std::string table;
  std::string name;
  std::optional<std::string> policy = {};  ///< of a built-in chain
  bool claimed = false;                    ///< nf_tables keeps our mark with it
  RuleList::Rules rules = {};

  // ---- on nf_tables only
  std::uint64_t handle = 0;                 ///< another when it was removed and made again
  std::optional<firewall::Hook> hook = {};  ///< nothing: none leads to it
  std::vector<std::uint64_t> handles = {};  ///< of the rules
};

/// As values of both kinds: every chain but built-in ones is a Chain, and every one that is not
/// ours is a SharedChain.
void sort_out(HaveChain have, std::vector<Chain>& chains, std::vector<SharedChain>& shared);

/// The chain as text, as the legacy backend has it.
[[nodiscard]] HaveChain have_chain(Family family, firewall::SavedChain saved);

/// What nf_tables keeps with every chain of ours from its creation on (NFTA_CHAIN_USERDATA), and
/// with our rules in shared chains of bridges.
[[nodiscard]] const wire::Bytes& chain_claim();

/// Whether the rule is what ebtables-nft keeps for the policy of a chain that is not built in: it
/// stays the last, whatever is appended, and ebtables shows it as no rule.
[[nodiscard]] bool is_chain_policy(const firewall::RuleCode& code);

}  // namespace plumbline
