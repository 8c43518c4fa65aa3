// A compiler that starts no program: what iptables makes of rules was written down.
//
// recorded_rules.txt has a line for each rule of the specs in specs.cpp. That it says what iptables
// says today is tested beside the kernel (tests/truth/recorded_rules_test.cpp), which also writes
// it anew.

#pragma once

#include <map>
#include <string>

#include "plumbline/firewall/compile/compile.hpp"

namespace plumbline::sim {

/// Rules that iptables saves, by what was asked of it: `inet filter -s 10.0.0.0/8 -j DROP`.
using RecordedRules = std::map<std::string, FirewallRule>;

[[nodiscard]] std::string question(Family family, const std::string& table,
                                   const FirewallRule& rule);
/// One line for each, in the order of their questions.
[[nodiscard]] std::string format(const RecordedRules& rules);
/// Throws std::runtime_error on a line that format() does not write.
[[nodiscard]] RecordedRules parse_recorded(const std::string& text);
/// Of this source tree.
[[nodiscard]] const RecordedRules& recorded_rules();
inline constexpr const char* recorded_rules_path =
    PLUMBLINE_SOURCE_DIR "/tests/sim/recorded_rules.txt";

class RecordedCompiler final : public firewall::Compiler {
 public:
  /// A rule that was not recorded is refused, as one that iptables does not know.
  void compile(spec::Desired& desired, const State& have, Diagnostics& diagnostics) override;
  /// All that were recorded.
  [[nodiscard]] const firewall::RuleBook& book() const override;
  [[nodiscard]] bool uses_nft() override { return true; }
};

}  // namespace plumbline::sim
