// What was recorded of iptables is what iptables says today.

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "plumbline/firewall/compile/iptables_compiler.hpp"
#include "tests/sim/recorded_compiler.hpp"
#include "tests/sim/site.hpp"
#include "tests/sim/specs.hpp"
#include "tests/support/netns.hpp"

namespace plumbline::sim {

namespace {

class RecordedRulesTest : public test::NetnsTest {};

/// Rule for rule: no rule of these specs becomes several.
void take(const RuleList& wanted, const RuleList& made, const TableKey& table,
          RecordedRules& rules) {
  ASSERT_EQ(wanted.size(), made.size());
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    rules.emplace(question(table.first, table.second, wanted[i]), made[i]);
  }
}

RecordedRules recorded_now() {
  io::ScratchHost scratch(io::Backend::nft);
  firewall::IptablesCompiler compiler(scratch);
  const Site site;
  RecordedRules rules;
  for (const NamedSpec& spec : specs()) {
    const spec::Desired wanted = site.desired(spec.text);
    spec::Desired made = wanted;
    Diagnostics diagnostics;
    compiler.compile(made, {}, diagnostics);
    for (const Diagnostic& error : diagnostics.errors) ADD_FAILURE() << format(error);
    for (const Chain& chain : wanted.state.of<Chain>()) {
      take(chain.rules, made.state.find<Chain>(key(chain))->rules, {chain.family, chain.table},
           rules);
    }
    for (const SharedChain& chain : wanted.state.of<SharedChain>()) {
      const SharedChain* now = made.state.find<SharedChain>(key(chain));
      take(chain.insert, now->insert, {chain.family, chain.table}, rules);
      take(chain.append, now->append, {chain.family, chain.table}, rules);
    }
  }
  return rules;
}

/// PLUMBLINE_RECORD=1 writes what it says instead.
TEST_F(RecordedRulesTest, AreWhatIptablesMakesOfThem) {
  if (test::run({"iptables-nft-restore", "--version"}).status != 0) {
    GTEST_SKIP() << "iptables is not installed";
  }
  const RecordedRules now = recorded_now();
  if (std::getenv("PLUMBLINE_RECORD") != nullptr) {
    std::ofstream(recorded_rules_path) << format(now);
    return;
  }
  EXPECT_EQ(format(now), format(recorded_rules()));
}

}  // namespace

}  // namespace plumbline::sim
