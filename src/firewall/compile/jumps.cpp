// Where jumps lead, before the kernel is asked.

#include <map>

#include "wanted_rules.hpp"

namespace plumbline::firewall {

namespace {

/// A walk along all jumps of one table, depth first.
class Walk {
 public:
  Walk(Family family, std::string table, const State& have,
       const std::function<void(WantedRule&, std::string)>& refuse)
      : family_(family), table_(std::move(table)), have_(&have), refuse_(&refuse) {}

  void add(WantedChain& chain) { wanted_[chain.name] = &chain; }

  void run() {
    for (const auto& [name, chain] : wanted_) visit(name);
  }

 private:
  enum class Mark : std::uint8_t { fresh, open, done };

  /// True when the way leads back into a chain that is being walked.
  bool visit(const std::string& name) {
    Mark& mark = marks_[name];
    if (mark != Mark::fresh) return mark == Mark::open;
    mark = Mark::open;
    if (const auto found = wanted_.find(name); found != wanted_.end()) follow(*found->second);
    // A foreign chain's own rules cannot be refused: what leads into it is.
    bool loops = false;
    const auto found = wanted_.find(name);
    const Chain* foreign = found != wanted_.end() && !found->second->shared
                               ? nullptr
                               : have_->find<Chain>({family_, table_, name});
    if (foreign != nullptr) {
      for (const FirewallRule& rule : foreign->rules) {
        for (const std::string& next : rule.targets()) loops = visit(next) || loops;
      }
    }
    marks_[name] = Mark::done;
    return loops;
  }

  void follow(WantedChain& chain) {
    for (const std::string& next : chain.jumps) {
      if (is_builtin_chain(family_, table_, next)) {
        refuse(chain, next, "'" + next + "' is a built-in chain, to which no rule can jump");
      } else if (visit(next)) {
        refuse(chain, next, "the jump to '" + next + "' leads back to '" + chain.name + "'");
      }
    }
  }

  void refuse(WantedChain& chain, const std::string& next, const std::string& reason) {
    for (WantedRule& rule : chain.rules) {
      if (rule.written->leads_to(next)) (*refuse_)(rule, reason);
    }
  }

  Family family_;
  std::string table_;
  const State* have_;
  const std::function<void(WantedRule&, std::string)>* refuse_;
  std::map<std::string, WantedChain*> wanted_;
  std::map<std::string, Mark> marks_;
};

}  // namespace

void find_bad_jumps(WantedRules& rules, const State& have,
                    const std::function<void(WantedRule&, std::string)>& refuse) {
  std::map<std::string, Walk> walks;
  for (WantedChain& chain : rules.chains()) {
    walks.try_emplace(chain.table, rules.family(), chain.table, have, refuse)
        .first->second.add(chain);
  }
  for (auto& [table, walk] : walks) walk.run();
}

}  // namespace plumbline::firewall
