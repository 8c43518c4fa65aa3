// The chains that nf_tables holds, as the kernel has them: bytes, not text.
//
// The generation of nf_tables says in microseconds that nothing changed; then nothing is read.
// Else only built-in chains, wanted ones, ours and new ones are. What iptables prints for a rule is
// found out only where somebody will read it.

#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "plumbline/firewall/bytes/nft_table.hpp"
#include "plumbline/firewall/tables/nfnetlink.hpp"
#include "plumbline/io/host.hpp"
#include "plumbline/state/state.hpp"

namespace plumbline::firewall {

/// Rules whose text is known, shared.
using RuleBook = std::shared_ptr<const FirewallRuleSet>;

using HaveChains = std::map<Chain::Key, HaveChain>;

class Ruleset {
 public:
  /// Everything of both kinds of chains that is linked into `state`, where chains by text stay.
  /// `wanted`: chains whose content matters. `nft` never changes. Throws io::HostError,
  /// wire::Malformed.
  void observe(io::Host& host, const std::set<Chain::Key>& wanted, bool nft, State& state);
  /// Others changed what matters whenever it was looked at: what was observed may never have been
  /// there at one moment. A commit compares anew.
  [[nodiscard]] bool is_torn() const { return torn_; }
  /// Takes over the text of `compiled` rules for equal ones that were seen, and asks iptables what
  /// it prints for the rest of ours (for everything, when `all`). Puts them into `state`.
  void name_rules(io::Host& host, const RuleBook& compiled, bool all, State& state);

  /// Has every one of `chains` as it is at the generation that it returns, by the smallest
  /// question: unless others changed the rules meanwhile, which a commit at that generation finds
  /// out. Throws io::HostError, wire::Malformed.
  [[nodiscard]] std::uint32_t look_at(Nfnetlink& kernel, const std::set<Chain::Key>& chains,
                                      bool nft);
  /// Null when it is not there. Only what was looked at is as it is now.
  [[nodiscard]] const HaveChain* find(const Chain::Key& chain) const;
  [[nodiscard]] bool has_chains(Family family, std::string_view table) const;
  /// As observed: a commit of our own does not put a table to sleep.
  [[nodiscard]] bool is_dormant(const TableKey& table) const { return dormant_.contains(table); }
  /// Takes over what a batch made of `changed` chains: nothing is read but the chains themselves.
  /// False, and the next look is at everything, when anybody else committed since the last one.
  [[nodiscard]] bool take_over(Nfnetlink& kernel, std::map<Chain::Key, HaveChain> changed);
  /// The same where the handles of new rules are not known: the next look reads them.
  void expect(std::map<Chain::Key, HaveChain> changed);

 private:
  /// Whether a chain that is there is read; else it stays as it was seen, if it was.
  using MustRead = std::function<bool(const Chain::Key&, const DumpedChain&, bool same)>;

  /// Looks until what matters is as it was at one moment, or no longer.
  void look_until_whole(Nfnetlink& kernel, const std::set<Chain::Key>& wanted);
  /// Of built-in chains, wanted ones and ours each rule counts.
  [[nodiscard]] bool matters(const Chain::Key& where, const HaveChain& held) const;
  [[nodiscard]] bool is_as_before(const HaveChains& before) const;
  void forget_others_that_are_gone(Nfnetlink& kernel);
  /// False when others changed the rules meanwhile.
  [[nodiscard]] bool look(Nfnetlink& kernel, const std::set<Chain::Key>& wanted);
  void read(Nfnetlink& kernel, const MustRead& must_read);
  /// Only if `dumped` are all rules that there are: else each chain is read by itself.
  void read_chains(Nfnetlink& kernel, const std::vector<DumpedChain>& chains,
                   std::optional<std::vector<DumpedRule>> dumped, const MustRead& must_read);
  [[nodiscard]] bool is_current(Nfnetlink& kernel, const std::set<Chain::Key>& chains) const;
  /// `before`: the chain as it was seen; rules that are as before are those from before.
  void read_rules(Nfnetlink& kernel, std::vector<DumpedRule> rules, const HaveChain* before,
                  HaveChain& held);
  [[nodiscard]] FirewallRule known(const FirewallRule& rule) const;
  void take_saved(io::Host& host, Family family);
  void sort_out_all();
  void fill(State& state) const;

  bool nft_ = true;
  std::uint32_t generation_ = 0;  ///< 0: nothing was looked at, or it moved meanwhile
  bool torn_ = false;
  std::set<Chain::Key> wanted_;
  std::map<Chain::Key, HaveChain> seen_;
  std::set<TableKey> dormant_;
  FirewallRuleSet book_;  ///< rules whose text is known
  RuleBook compiled_;     ///< that it was made with
  bool fresh_ = false;    ///< rules were read since
  bool unsorted_ = true;  ///< ... and are not yet in the next two
  std::vector<Chain> chains_;
  std::vector<SharedChain> shared_;
};

}  // namespace plumbline::firewall
