// The chains that rules lead to.

#include "plumbline/firewall/model/chain.hpp"

namespace plumbline {

namespace {

template <class K>
void add_jumps(const K& chain, const RuleList& rules, const ChainNames& known,
               std::set<Need>& needs) {
  for (const FirewallRule& rule : rules) {
    for (const std::string& name : rule.chains()) {
      needs.insert(NeedsChain{chain.family, chain.table, name});
    }
    for (const std::string& target : rule.targets()) {
      NeedsChain need{chain.family, chain.table, target};
      if (known.contains(need)) needs.insert(std::move(need));
    }
  }
}

}  // namespace

void needs_among(const Chain& chain, const ChainNames& chains, std::set<Need>& add) {
  add_jumps(chain, chain.rules, chains, add);
}

void needs_among(const SharedChain& chain, const ChainNames& chains, std::set<Need>& add) {
  add_jumps(chain, chain.insert, chains, add);
  add_jumps(chain, chain.append, chains, add);
  add_jumps(chain, chain.strays, chains, add);
}

}  // namespace plumbline
