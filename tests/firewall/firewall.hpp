// Chains in a namespace of a test's own, made as the engine makes them but without a plan.

#pragma once

#include <gtest/gtest.h>

#include <boost/json.hpp>
#include <optional>

#include "plumbline/engine/apply.hpp"
#include "plumbline/engine/observe.hpp"
#include "plumbline/firewall/compile/iptables_compiler.hpp"
#include "plumbline/firewall/text/iptables.hpp"
#include "plumbline/io/kernel_host.hpp"
#include "tests/support/netns.hpp"
#include "tests/support/spec_text.hpp"

namespace plumbline {

class Firewall : public test::NetnsTest, public testing::WithParamInterface<io::Backend> {
 protected:
  void SetUp() override {
    NetnsTest::SetUp();
    if (IsSkipped()) return;
    const std::string restore = "iptables-" + std::string(format(GetParam())) + "-restore";
    if (test::run({restore, "--version"}).status != 0) {
      GTEST_SKIP() << "iptables is not installed";
    }
    host_.emplace(GetParam());
    scratch_.emplace(GetParam());
    compiler_.emplace(*scratch_);
  }

  State observe() {
    State state =
        engine::observe(*host_, ruleset_, uses_nft(), {}, {}, engine::look_around(*host_)).state;
    if (uses_nft()) ruleset_.name_rules(*host_, compiler_->book(), true, state);
    return state;
  }

  void enter_another_namespace() {
    ASSERT_EQ(test::enter_new_netns(), "");
    host_.emplace(GetParam());
    ruleset_ = {};
  }

  /// Every object of nf_tables with its handle; nothing on legacy.
  std::string objects() const {
    return uses_nft() ? test::must_run({"nft", "-a", "list", "ruleset"}) : std::string();
  }

  bool uses_nft() const { return GetParam() == io::Backend::nft; }

  /// `{ "iptables": …, "ip6tables": … }` as a spec has it, marked and compiled.
  State compiled(const boost::json::value& spec, std::vector<std::string>* refused = nullptr) {
    spec::Desired desired;
    test::SpecText text(boost::json::serialize(spec));
    const bool readable = text.errors().empty();
    for (const auto& [section, family] :
         {std::pair{"iptables", Family::inet}, std::pair{"ip6tables", Family::inet6}}) {
      if (!readable || !text.entry().has(section)) continue;
      text.member(section).for_each_member([&, of = family](const wire::Entry& table) {
        read<Chain>(table, "chains", of, desired.state);
        read<SharedChain>(table, "shared", of, desired.state);
      });
    }
    desired.state.sort();
    Diagnostics diagnostics;
    compiler_->compile(desired, observe(), diagnostics);
    for (const auto* errors : {&text.errors(), &std::as_const(diagnostics.errors)}) {
      for (const Diagnostic& error : *errors) {
        if (refused != nullptr) {
          refused->push_back(error.message);
        } else {
          ADD_FAILURE() << format(error);
        }
      }
    }
    return desired.state;
  }

  /// Brings the kernel to what is wanted; says how many chains were changed.
  std::size_t apply(const State& want) {
    const State have = observe();
    Plan plan;
    add_changes<Chain>(have, want, plan);
    add_changes<SharedChain>(have, want, plan);
    carry_out(plan);
    return plan.steps.size();
  }

  void carry_out(const Plan& plan) {
    const engine::Report report = engine::apply(*host_, ruleset_, plan, {{}, {}, uses_nft()});
    for (const engine::StepReport& step : report.steps) {
      ASSERT_EQ(step.result, engine::StepResult::done) << step.message;
    }
  }

  /// From one value to the other; null is none.
  template <class K>
  static Step step(const K* from, const K* to) {
    Step step;
    step.key = key(from != nullptr ? *from : *to);
    if (from != nullptr) step.before = *from;
    if (to != nullptr) step.after = *to;
    step.action = from == nullptr ? Action::create
                  : to == nullptr ? Action::remove
                                  : Action::update;
    step.phase = Phase::guard;
    return step;
  }

  std::string save(std::string_view base = "iptables") {
    std::string text;
    const std::string program = std::string(base) + "-" + std::string(format(GetParam())) + "-save";
    std::string saved = test::must_run({program, "-c"});
    for (std::size_t end = saved.find('\n'); end != std::string::npos; end = saved.find('\n')) {
      if (saved.front() != '#') text += saved.substr(0, end + 1);
      saved.erase(0, end + 1);
    }
    return text;
  }

  void iptables(const std::vector<std::string>& words) {
    std::vector<std::string> arguments = {"iptables-" + std::string(format(GetParam()))};
    arguments.insert(arguments.end(), words.begin(), words.end());
    test::must_run(arguments);
  }

  void restore(const std::string& text) {
    test::must_run({"iptables-" + std::string(format(GetParam())) + "-restore", "-c", "--noflush"},
                   text);
  }

  std::optional<io::KernelHost> host_;
  std::optional<io::ScratchHost> scratch_;
  std::optional<firewall::IptablesCompiler> compiler_;
  firewall::Ruleset ruleset_;

 private:
  template <class K>
  static void read(const wire::Entry& table, std::string_view part, Family family, State& state) {
    const auto found = table.find(part);
    if (!found) return;
    found->for_each_member([&](const wire::Entry& entry) {
      auto value = K::from_spec(entry, family, table.key());
      if (value) state.of<K>().push_back(with_mark(std::move(*value), Mark{}));
    });
  }

  template <class K>
  static void add_changes(const State& have, const State& want, Plan& plan) {
    for (const K& value : want.of<K>()) {
      const K* present = have.find<K>(key(value));
      if (present == nullptr) {
        plan.steps.push_back(step<K>(nullptr, &value));
      } else if (const K full = complete(value, *present); !(full == *present)) {
        plan.steps.push_back(step<K>(present, &full));
      }
    }
  }
};

inline std::string backend_name(const testing::TestParamInfo<io::Backend>& info) {
  return std::string(format(info.param));
}

inline const auto both_backends = testing::Values(io::Backend::nft, io::Backend::legacy);

}  // namespace plumbline
