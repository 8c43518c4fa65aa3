// A commit to nf_tables of which it is not known what came of it, and chains that have become
// somebody else's.

#include <cerrno>
#include <functional>

#include "tests/firewall/firewall.hpp"

namespace plumbline {

namespace {

/// Calls `before` with each exchange, and how many batches there were before it; where that
/// answers, nothing is passed on.
class InterceptingHost final : public io::Host {
 public:
  using Before = std::function<std::optional<wire::Reply>(const wire::Request&, int batches)>;
  InterceptingHost(io::Host& host, Before before) : host_(&host), before_(std::move(before)) {}

  std::vector<wire::Reply> exchange(std::span<const wire::Request> requests) override {
    std::vector<wire::Reply> replies;
    for (const wire::Request& request : requests) {
      std::optional<wire::Reply> reply = before_(request, batches_);
      if (std::holds_alternative<wire::NftBatch>(request)) ++batches_;
      if (!reply) reply = host_->exchange(std::span(&request, 1)).front();
      replies.push_back(std::move(*reply));
    }
    return replies;
  }

 private:
  io::Host* host_;
  Before before_;
  int batches_ = 0;
};

class LinkUndo : public Firewall {
 protected:
  State wanted() {
    return compiled(boost::json::parse(
        R"({ "iptables": { "filter": { "chains": { "APP": { "rules": ["-j DROP"] } } } } })"));
  }
  static const Chain* chain_in(const State& state) {
    return state.find<Chain>({Family::inet, "filter", "APP"});
  }
  engine::Report apply_step(const Step& step, io::Host& host) {
    Plan plan;
    plan.steps.push_back(step);
    return engine::apply(host, ruleset_, plan, {{}, {}, uses_nft()});
  }
  /// Removes the chain as it is after somebody else has been at it.
  engine::Report remove_after(const std::vector<std::vector<std::string>>& commands) {
    const State have = observe();
    const Step removal = step<Chain>(chain_in(have), nullptr);
    for (const std::vector<std::string>& command : commands) iptables(command);
    return apply_step(removal, *host_);
  }
};

INSTANTIATE_TEST_SUITE_P(Nft, LinkUndo, testing::Values(io::Backend::nft), backend_name);

TEST_P(LinkUndo, ACommitAfterWhichTheHostThrowsIsTakenBack) {
  const State want = wanted();
  bool thrown = false;
  InterceptingHost host(*host_, [&](const wire::Request& request, int batches) {
    if (batches == 1 && !thrown && std::holds_alternative<wire::NetfilterQuery>(request)) {
      thrown = true;
      throw io::HostError("made to throw by the test");
    }
    return std::optional<wire::Reply>();
  });
  const engine::Report report = apply_step(step<Chain>(nullptr, chain_in(want)), host);
  EXPECT_TRUE(thrown);
  EXPECT_TRUE(report.failed);
  EXPECT_EQ(report.steps.at(0).message.find("made to throw"), 0U) << report.steps.at(0).message;
  EXPECT_EQ(save().find("APP"), std::string::npos);
}

TEST_P(LinkUndo, APolicyWhoseAnswerIsLostIsLookedAt) {
  iptables({"-P", "FORWARD", "ACCEPT"});
  const State have = observe();
  const auto* before = have.find<SharedChain>({Family::inet, "filter", "FORWARD"});
  ASSERT_NE(before, nullptr);
  SharedChain after = *before;
  after.policy = "DROP";
  for (const bool arrives : {false, true}) {
    InterceptingHost host(*host_, [&](const wire::Request& request, int batches) {
      const bool lost = batches == 0 && std::holds_alternative<wire::NftBatch>(request);
      if (lost && arrives) static_cast<void>(host_->exchange(std::span(&request, 1)));
      return lost ? std::optional(wire::Reply{ENOBUFS, "the answer was lost", {}, {}})
                  : std::optional<wire::Reply>();
    });
    const engine::Report report = apply_step(step<SharedChain>(before, &after), host);
    EXPECT_EQ(report.failed, !arrives);
    EXPECT_EQ(save().find(":FORWARD DROP") != std::string::npos, arrives);
  }
}

TEST_P(LinkUndo, AChainThatHasBecomeSomebodyElsesIsNotRemoved) {
  apply(wanted());
  const engine::Report report =
      remove_after({{"-F", "APP"}, {"-X", "APP"}, {"-N", "APP"}, {"-A", "APP", "-j", "ACCEPT"}});
  EXPECT_TRUE(report.failed);
  EXPECT_EQ(report.steps.at(0).error, EEXIST);
  EXPECT_NE(save().find("-A APP -j ACCEPT"), std::string::npos);
}

TEST_P(LinkUndo, OneThatIsStillOursIsRemovedWhateverOthersPutIntoIt) {
  apply(wanted());
  EXPECT_FALSE(remove_after({{"-I", "APP", "-s", "10.0.0.1", "-j", "ACCEPT"}}).failed);
  EXPECT_EQ(save().find("APP"), std::string::npos);
}

TEST_P(LinkUndo, WhatIsDoneBetweenGuardsAndTheRestMayFail) {
  const State want = wanted();
  Plan plan;
  plan.steps.push_back(step<Chain>(nullptr, chain_in(want)));
  const auto throwing = [] { throw io::HostError("made to throw by the test"); };
  const engine::Report report =
      engine::apply(*host_, ruleset_, plan, {{}, {}, uses_nft(), throwing});
  EXPECT_FALSE(report.failed);
  EXPECT_EQ(report.steps.at(0).result, engine::StepResult::done);
  EXPECT_NE(save().find("-A APP -j DROP"), std::string::npos);
}

}  // namespace

}  // namespace plumbline
