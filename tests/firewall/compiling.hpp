// Wanted chains on their way through a compiler of the test's own.

#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "plumbline/firewall/compile/iptables_compiler.hpp"
#include "plumbline/firewall/observe/saved.hpp"
#include "tests/support/netns.hpp"

namespace plumbline::engine {

using Rules = std::vector<std::string>;

class Compiling : public test::NetnsTest, public testing::WithParamInterface<io::Backend> {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    const std::string restore = "iptables-" + std::string(format(GetParam())) + "-restore";
    if (test::run({restore, "--version"}).status != 0) {
      GTEST_SKIP() << "iptables is not installed";
    }
    start();
  }
  void TearDown() override {
    compiler_.reset();
    NetnsTest::TearDown();
  }

  /// As another process would.
  void start(const std::filesystem::path& cache = {}) {
    compiler_.reset();
    scratch_.emplace(GetParam());
    compiler_.emplace(*scratch_, cache);
  }
  bool uses_nft() const { return GetParam() == io::Backend::nft; }

  void want_nothing() {
    wanted_ = {};
    objects_ = 0;
  }

  void want(const std::string& name, Rules rules, std::string table = "filter",
            Family family = Family::inet) {
    Chain chain{family, std::move(table), name, listed(rules), false};
    note_origins(key(chain), chain.rules.size());
    wanted_.state.of<Chain>().push_back(with_mark(std::move(chain), Mark{}));
  }

  void want_shared(const std::string& name, Rules insert, Rules append = {},
                   std::string table = "filter") {
    SharedChain chain;
    chain.table = std::move(table);
    chain.name = name;
    chain.insert = listed(insert);
    chain.append = listed(append);
    note_origins(key(chain), chain.insert.size() + chain.append.size());
    wanted_.state.of<SharedChain>().push_back(with_mark(chain, Mark{}));
  }

  void have(const std::string& name, Rules rules) {
    have_.of<Chain>().push_back({Family::inet, "filter", name, listed(rules), false});
  }

  /// The state with the saved rules; `errors()` says what was refused.
  State compile() {
    wanted_.state.sort();
    have_.sort();
    spec::Desired desired = wanted_;
    diagnostics_ = {};
    compiler_->compile(desired, have_, diagnostics_);
    return desired.state;
  }

  Rules rules_of(const State& state, const std::string& name, const std::string& table = "filter",
                 Family family = Family::inet) {
    return texts(state.find<Chain>({family, table, name})->rules);
  }

  static RuleList listed(const Rules& rules) { return RuleList::Rules(rules.begin(), rules.end()); }

  /// Without the mark of the chain.
  static Rules texts(const RuleList& rules) {
    Rules texts;
    for (const FirewallRule& rule : rules) {
      if (!rule.is_mark()) texts.push_back(rule.text());
    }
    return texts;
  }

  /// `LINE: message`, where a rule's line is 100 for each object before it and its place.
  std::vector<std::string> errors() {
    std::vector<std::string> errors;
    for (const Diagnostic& error : diagnostics_.errors) {
      EXPECT_EQ(error.code, Code::invalid_iptables_rule);
      errors.push_back(std::to_string(error.origin.line) + ": " + error.message);
    }
    return errors;
  }

  const spec::Desired& wanted() const { return wanted_; }

  /// How many rules the scratch namespace was loaded with the last time, those that keep others
  /// apart left out.
  int loaded(Family family = Family::inet) {
    int rules = 0;
    for (const firewall::SavedChain& chain : firewall::ask_for_saved(*scratch_, family).chains) {
      rules += static_cast<int>(std::ranges::count_if(chain.rules, [](const std::string& rule) {
        return rule.find('\001') == std::string::npos;
      }));
    }
    return rules;
  }

  std::optional<io::ScratchHost> scratch_;
  std::optional<firewall::IptablesCompiler> compiler_;
  Diagnostics diagnostics_;

 private:
  void note_origins(const Key& key, std::size_t rules) {
    const auto file = std::make_shared<const std::string>("spec.json");
    objects_ += 100;
    for (std::size_t i = 0; i < rules; ++i) {
      wanted_.rule_origins[key].push_back({file, static_cast<std::uint32_t>(objects_ + i), 1});
    }
  }

  spec::Desired wanted_;
  State have_;
  std::size_t objects_ = 0;
};

inline const auto both_backends = testing::Values(io::Backend::nft, io::Backend::legacy);

inline std::string backend_name(const testing::TestParamInfo<io::Backend>& param) {
  return std::string(format(param.param));
}

}  // namespace plumbline::engine
