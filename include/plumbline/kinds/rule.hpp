// Policy routing rules: ip-rule(8).
//
// A rule is identified by all it says, our mark (FRA_PROTOCOL) included, so it is never updated:
// one is added and another removed. The kernel's own three rules are never ours.

#pragma once

#include "plumbline/kinds/kind.hpp"
#include "plumbline/wire/entry.hpp"

namespace plumbline {

enum class RuleAction : std::uint8_t {
  table,
  goto_priority,
  nop,
  blackhole,
  unreachable,
  prohibit
};

[[nodiscard]] std::string_view format(RuleAction action);

/// An inclusive range of ports or user ids.
template <class T>
struct Range {
  T first{};
  T last{};

  auto operator<=>(const Range&) const = default;
};

struct Rule {
  static constexpr std::string_view kind_name = "rule";
  static constexpr Disruption loss = Disruption::nothing;
  static constexpr Asked asked = Asked::whole;
  static constexpr bool key_says_all = true;
  static constexpr std::string_view section = "rules";
  static constexpr bool is_adoptable = true;

  Family family = Family::inet;
  std::uint32_t priority = 0;
  std::uint8_t protocol = 0;  ///< FRA_PROTOCOL
  bool invert = false;        ///< `not`
  std::optional<Prefix> from;
  std::optional<Prefix> to;
  std::optional<std::string> iif;  ///< by name in the kernel too, so the link need not exist
  std::optional<std::string> oif;
  std::optional<std::uint32_t> fwmark;
  std::optional<std::uint32_t> fwmask;  ///< set whenever fwmark is
  std::uint8_t tos = 0;
  std::optional<std::uint8_t> ip_protocol;
  std::optional<Range<std::uint16_t>> source_ports;
  std::optional<Range<std::uint16_t>> destination_ports;
  std::optional<Range<std::uint32_t>> uids;
  RuleAction action = RuleAction::table;
  std::optional<TableId> table;                ///< of action table
  std::optional<std::uint32_t> goto_priority;  ///< of action goto_priority
  std::optional<std::uint32_t> suppress_prefix_length;
  /// It has attributes beyond these. Never wanted.
  bool has_more = false;

  auto operator<=>(const Rule&) const = default;

  struct Key;

  static std::vector<wire::Request> queries(const Scope& scope);
  static void decode(const wire::Request& request, const wire::Reply& reply, const LinkNames& links,
                     std::vector<Rule>& out);
  /// An element of `rules`.
  static std::optional<Rule> from_spec(const wire::Entry& entry);
};

/// The whole rule, ordered by family and priority first.
struct Rule::Key {
  Rule rule;

  auto operator<=>(const Key&) const = default;
};

[[nodiscard]] Rule::Key key(const Rule& rule);
/// `rule inet 1000 from 10.0.0.0/8 table 100`
[[nodiscard]] std::string format(const Rule::Key& key);
[[nodiscard]] std::vector<Need> needs(const Rule& rule);
[[nodiscard]] bool is_marked(const Rule& rule, const Mark& mark);
[[nodiscard]] constexpr Stage stage(const Rule& /*rule*/) { return Stage::rule; }
[[nodiscard]] Rule with_mark(Rule rule, const Mark& mark);
[[nodiscard]] Rule complete(Rule want, const Rule& have);
[[nodiscard]] Transition transition(const Rule& have, const Rule& want);
[[nodiscard]] std::vector<wire::Request> create(const Rule& rule, const LinkNames& links);
[[nodiscard]] std::vector<wire::Request> update(const Rule& have, const Rule& want,
                                                const LinkNames& links);
[[nodiscard]] std::vector<wire::Request> remove(const Rule& rule, const LinkNames& links);
[[nodiscard]] boost::json::value to_spec(const Rule& rule);

/// Whether the kernel, asked to delete `removed`, may delete `other` instead: what a rule does not
/// say matches anything, and `not` and the target of a `goto` are not compared at all
/// (net/core/fib_rules.c, rule_find()). It takes the first that passes, in the order in which they
/// were added. So of two rules of one priority that are both removed, the one that says more goes
/// first; and one that stays has to be added again, behind, before the other is removed twice.
[[nodiscard]] bool removal_may_hit(const Rule& removed, const Rule& other);
/// The same for many rules, without looking at each pair: removing one may hit those that are as it
/// is when both are reduced() to the conditions_of() it. One that says more has more bits.
[[nodiscard]] std::uint32_t conditions_of(const Rule& rule);
[[nodiscard]] Rule reduced(Rule rule, std::uint32_t conditions);

/// From the last to the first: so what stands behind, such as an `unreachable`, is there before
/// what leads past it and goes after it; and it is linear in the kernel where the reverse is
/// quadratic (fib_nl_newrule() walks the list). Of one priority, the one that says less: one that
/// is removed may hit another that says more (removal_may_hit()).
[[nodiscard]] bool is_made_before(const Rule::Key& key, const Rule::Key& other);

static_assert(ResourceKind<Rule>);

}  // namespace plumbline
