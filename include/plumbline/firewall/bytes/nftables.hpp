// nf_tables and ipset as nfnetlink carries them: questions, what the answers say, and batches.
//
// A rule is held as the bytes of its expressions, made comparable: counters are zero and ipsets are
// names, as their indexes differ between namespaces. Knows which bytes are an address of something
// else (a set, a chain) and which are a count; knows the meaning of no match and no target.

#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "plumbline/base/family.hpp"
#include "plumbline/wire/request.hpp"

namespace plumbline::firewall {

// ---- rules --------------------------------------------------------------------------------------

/// One rule, comparable: the same rule has the same code in every network namespace.
struct RuleCode {
  /// The payload of NFTA_RULE_EXPRESSIONS with all counts zero: of `counter`, and what is used up
  /// of a `quota`. In place of each ipset index stands its position in `sets`.
  wire::Bytes expressions;
  std::vector<std::string> sets;  ///< one for each place in `expressions`, in their order
  wire::Bytes userdata;           ///< NFTA_RULE_USERDATA, as it is

  bool operator==(const RuleCode&) const = default;
};

/// The comments of the rule: of each `comment` match, and the comment among the userdata (type 0).
[[nodiscard]] std::vector<std::string> comments_of(const RuleCode& code);

/// The chains it jumps or goes to.
[[nodiscard]] std::vector<std::string> chains_of(const RuleCode& code);

/// What the rule leads to: the chain of each jump or goto, the words ACCEPT, DROP and RETURN of
/// verdicts, and the names of target extensions (`LOG`, `DNAT`) and of what iptables writes without
/// one (`NFLOG`, `TRACE`): what `-j` or `-g` of the saved rule says, but that `NOTRACK` is `CT`.
[[nodiscard]] std::vector<std::string> targets_of(const RuleCode& code);

/// A rule as a dump has it. Refers to no buffer.
struct DumpedRule {
  Family family = Family::inet;
  std::string table;
  std::string chain;
  std::uint64_t handle = 0;
  wire::Bytes expressions;  ///< as dumped: counts and set indexes of this namespace
  wire::Bytes userdata;
};

/// Name of the ipset of that index; throws Malformed or whatever tells that it cannot be known.
using SetName = std::function<std::string(std::uint16_t index)>;
/// Index of the ipset of that name.
using SetIndex = std::function<std::uint16_t(const std::string& name)>;

[[nodiscard]] RuleCode code_of(DumpedRule rule, const SetName& set_name);

/// The ipset indexes at every place of the expressions where one stands, 65535 (no set) left out.
[[nodiscard]] std::vector<std::uint16_t> set_indexes(std::span<const std::byte> expressions);

// ---- chains -------------------------------------------------------------------------------------

/// Where a chain meets packets. Of a built-in one: as iptables (xtables_ipv4 in iptables/nft.c) and
/// ebtables make it.
struct Hook {
  std::string type;  ///< `filter`, `nat`, `route`
  std::uint32_t number = 0;
  std::int32_t priority = 0;

  bool operator==(const Hook&) const = default;
};

struct DumpedChain {
  Family family = Family::inet;
  std::string table;
  std::string name;
  std::uint64_t handle = 0;
  std::optional<Hook> hook;           ///< nothing: no hook leads to it
  std::optional<std::string> policy;  ///< of a base chain: ACCEPT or DROP
  std::uint32_t uses = 0;             ///< its rules and the jumps to it
  wire::Bytes userdata;
};

/// Nothing where the family's table has no built-in chain of that name.
[[nodiscard]] std::optional<Hook> builtin_hook(Family family, std::string_view table,
                                               std::string_view name);
/// `filter hook forward priority 0`, as nft(8) writes it; `no hook`.
[[nodiscard]] std::string format(const std::optional<Hook>& hook);

// ---- questions and answers ----------------------------------------------------------------------

/// Whole messages for a wire::NetfilterQuery.
[[nodiscard]] wire::Bytes generation_query();
[[nodiscard]] wire::Bytes chains_query();  ///< of all families
[[nodiscard]] wire::Bytes rules_query(Family family, std::string_view table,
                                      std::string_view chain);
[[nodiscard]] wire::Bytes rules_query();  ///< of all families
[[nodiscard]] wire::Bytes set_name_query(std::uint16_t index);
[[nodiscard]] wire::Bytes set_index_query(std::string_view name);
/// Makes an ipset (`hash:ip`, of IPv4) that is there to be named: for a scratch namespace.
[[nodiscard]] wire::Bytes set_creation(std::string_view name);
[[nodiscard]] wire::Bytes set_destruction();  ///< of all sets

// Each throws Malformed. Other families and other messages are passed over.
[[nodiscard]] std::uint32_t read_generation(const wire::Bytes& answer);
[[nodiscard]] std::vector<DumpedChain> read_chains(const wire::Bytes& answer);
[[nodiscard]] std::vector<DumpedRule> read_rules(const wire::Bytes& answer);
[[nodiscard]] std::string read_set_name(const wire::Bytes& answer);
[[nodiscard]] std::uint16_t read_set_index(const wire::Bytes& answer);

// ---- batches ------------------------------------------------------------------------------------

/// Where a new rule goes.
struct Place {
  enum class Where : std::uint8_t { top, end, before };
  Where where = Where::end;
  std::uint64_t handle = 0;  ///< of the rule that it goes before
};

/// Whether the kernel sends a new rule back, as it holds it; others wait for it meanwhile.
enum class Echo : bool { no, yes };

/// Writes one NftBatch. Each call adds one message; `size()` before it is the message's place,
/// which a Reply names when the kernel refuses it. Tables and chains go first, then rules; rules
/// that jump go before the chains they jump to.
class NftBatchWriter {
 public:
  /// The table when it is not there; nothing is changed in one that is (no flags are sent, which
  /// would wake a dormant one).
  void add_table(Family family, std::string_view table);
  /// A dormant table's chains get their hooks back.
  void wake_table(Family family, std::string_view table);
  /// A built-in chain with its hook; a new one has the policy ACCEPT, one that is there keeps its.
  void add_base_chain(Family family, std::string_view table, std::string_view name,
                      const Hook& hook);
  /// NLM_F_EXCL: a chain that is there already is an error.
  void add_chain(Family family, std::string_view table, std::string_view name,
                 std::span<const std::byte> userdata);
  void set_policy(Family family, std::string_view table, std::string_view name,
                  std::string_view policy);
  /// Derives NFTA_RULE_COMPAT, which the kernel does not dump and yet wants, from the expressions.
  /// Those that are sent back are so in the order in which they were added.
  void add_rule(Family family, std::string_view table, std::string_view chain, const RuleCode& code,
                const Place& place, const SetIndex& set_index, Echo echo = Echo::yes);
  void remove_rule(Family family, std::string_view table, std::string_view chain,
                   std::uint64_t handle);
  void remove_all_rules(Family family, std::string_view table, std::string_view chain);
  void remove_chain(Family family, std::string_view table, std::string_view chain);
  /// With all that is in it.
  void remove_table(Family family, std::string_view table);
  /// Those of all families.
  void remove_all_tables();

  /// So many rules are to come: saves copying what is there again and again.
  void expect(std::size_t rules);
  [[nodiscard]] std::size_t size() const { return count_; }
  [[nodiscard]] bool empty() const { return count_ == 0; }
  /// Carried out only while nf_tables is at that generation; 0: whatever it is at. The last message
  /// asks for an ack.
  [[nodiscard]] wire::NftBatch finish(std::uint32_t generation) &&;

 private:
  void add(wire::Bytes message);

  wire::Bytes messages_;
  std::size_t count_ = 0;
  std::size_t last_ = 0;  ///< where in `messages_` the last one begins
};

/// The batch as a socket of NETLINK_NETFILTER takes it: between its begin, which is no message of
/// the batch and yet the first to be acknowledged, and its end.
[[nodiscard]] wire::Bytes framed(const wire::NftBatch& batch);

}  // namespace plumbline::firewall
