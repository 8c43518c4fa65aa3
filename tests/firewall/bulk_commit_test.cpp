// Commits of more rules than the kernel sends back: every rule is read all the same.

#include <algorithm>
#include <array>
#include <iterator>
#include <sstream>

#include "tests/firewall/firewall.hpp"
#include "tests/support/nft_rules.hpp"

namespace plumbline {

namespace {

constexpr int count = 700;
constexpr int echoed = 10;
constexpr int unechoed = 600;

std::string address(int number) {
  return "10.77." + std::to_string(number / 250) + "." + std::to_string(number % 250);
}

boost::json::value spec(std::string_view target) {
  boost::json::array rules;
  for (int i = 0; i < count; ++i) {
    rules.emplace_back("-s " + address(i) + "/32 -j " + std::string(target));
  }
  return {{"iptables", {{"filter", {{"chains", {{"APP", {{"rules", rules}}}}}}}}}};
}

/// Says another address than that one, once: the kernel comes to hold what nobody wanted.
class Misunderstood final : public io::Host {
 public:
  Misunderstood(io::Host& host, int number) : host_(&host) {
    const auto octet = [](int value) { return static_cast<std::byte>(value); };
    meant_ = {octet(10), octet(77), octet(number / 250), octet(number % 250)};
  }

  std::vector<wire::Reply> exchange(std::span<const wire::Request> requests) override {
    std::vector<wire::Request> sent(requests.begin(), requests.end());
    for (wire::Request& request : sent) {
      auto* const batch = std::get_if<wire::NftBatch>(&request);
      if (batch == nullptr || done_) continue;
      const auto found = std::ranges::search(batch->messages, meant_);
      if (found.empty()) continue;
      found.front() = std::byte{11};
      done_ = true;
    }
    return host_->exchange(sent);
  }

  [[nodiscard]] bool done() const { return done_; }

 private:
  io::Host* host_;
  std::array<std::byte, 4> meant_{};
  bool done_ = false;
};

class BulkCommit : public Firewall {
 protected:
  [[nodiscard]] const Chain* chain_in(const State& state) const {
    return state.find<Chain>({Family::inet, "filter", "APP"});
  }

  /// One to a line, each with its handle.
  [[nodiscard]] std::vector<std::string> sorted_objects() const {
    std::vector<std::string> lines;
    std::istringstream in(objects());
    for (std::string line; std::getline(in, line);) lines.push_back(line);
    std::ranges::sort(lines);
    return lines;
  }

  engine::Report apply_misunderstood(const State& want, int number) {
    Plan plan;
    plan.steps.push_back(step<Chain>(chain_in(observe()), chain_in(want)));
    Misunderstood host(*host_, number);
    engine::Report report = engine::apply(host, ruleset_, plan, {{}, {}, uses_nft()});
    EXPECT_TRUE(host.done());
    return report;
  }
};

INSTANTIATE_TEST_SUITE_P(Nft, BulkCommit, testing::Values(io::Backend::nft), backend_name);

TEST_P(BulkCommit, IsWhatWasWantedAndLeavesNothingToDo) {
  const State accepting = compiled(spec("ACCEPT"));
  EXPECT_EQ(apply(accepting), 1U);
  EXPECT_EQ(apply(accepting), 0U);
  EXPECT_EQ(apply(compiled(spec("DROP"))), 1U);
  EXPECT_EQ(apply(compiled(spec("DROP"))), 0U);
  const std::string saved = test::must_run({"iptables-nft", "-S", "APP"});
  std::size_t behind = 0;
  for (int i = 0; i < count; ++i) {
    const std::size_t found = saved.find("-s " + address(i) + "/32 -j DROP", behind);
    ASSERT_NE(found, std::string::npos) << address(i);
    behind = found;
  }
}

TEST_P(BulkCommit, LeavesHandlesThatTheNextEditGoesBy) {
  apply(compiled(spec("ACCEPT")));
  const std::vector<std::string> before = sorted_objects();
  iptables({"-D", "APP", std::to_string(unechoed)});
  EXPECT_EQ(apply(compiled(spec("ACCEPT"))), 1U);
  // One rule has another handle now.
  const std::vector<std::string> after = sorted_objects();
  std::vector<std::string> gone;
  std::vector<std::string> come;
  std::ranges::set_difference(before, after, std::back_inserter(gone));
  std::ranges::set_difference(after, before, std::back_inserter(come));
  EXPECT_EQ(gone.size(), 1U);
  EXPECT_EQ(come.size(), 1U);
}

TEST_P(BulkCommit, ARuleThatTheKernelSentBackOtherwiseUndoesIt) {
  const engine::Report report = apply_misunderstood(compiled(spec("ACCEPT")), echoed);
  EXPECT_TRUE(report.failed);
  EXPECT_EQ(report.steps.at(0).error, EIO);
  EXPECT_EQ(chain_in(observe()), nullptr);
}

TEST_P(BulkCommit, ARuleThatItHoldsOtherwiseIsSeenByTheNextLookAndPutRight) {
  const State want = compiled(spec("ACCEPT"));
  const engine::Report report = apply_misunderstood(want, unechoed);
  EXPECT_FALSE(report.failed);
  EXPECT_NE(save().find("-s 11.77."), std::string::npos);
  EXPECT_EQ(apply(want), 1U);
  EXPECT_EQ(save().find("-s 11.77."), std::string::npos);
  EXPECT_EQ(apply(want), 0U);
}

TEST_P(BulkCommit, TheSameWhereTheChainWasThereBefore) {
  apply(compiled(spec("DROP")));
  const State want = compiled(spec("ACCEPT"));
  EXPECT_FALSE(apply_misunderstood(want, unechoed).failed);
  EXPECT_EQ(apply(want), 1U);
  EXPECT_EQ(save().find("-s 11.77."), std::string::npos);
  EXPECT_EQ(apply(want), 0U);
}

}  // namespace

}  // namespace plumbline
