// Others who commit again and again between our look and our commit.

#include "tests/firewall/firewall.hpp"

namespace plumbline {

namespace {

/// Somebody commits before each of the first `overtaken` batches gets to the kernel.
class OvertakenHost final : public io::Host {
 public:
  OvertakenHost(io::Host& host, int overtaken) : host_(&host), overtaken_(overtaken) {}

  std::vector<wire::Reply> exchange(std::span<const wire::Request> requests) override {
    for (const wire::Request& request : requests) {
      if (!std::holds_alternative<wire::NftBatch>(request)) continue;
      // Every one of them is a change, so that the generation moves.
      const char* const verb = ++batches_ % 2 == 1 ? "add" : "delete";
      if (batches_ <= overtaken_) test::must_run({"nft", verb, "table", "ip", "theirs"});
    }
    return host_->exchange(requests);
  }

  [[nodiscard]] int batches() const { return batches_; }

 private:
  io::Host* host_;
  int overtaken_;
  int batches_ = 0;
};

class Busy : public Firewall {
 protected:
  engine::Report apply_overtaken(int overtaken) {
    const State want = compiled(boost::json::parse(
        R"({ "iptables": { "filter": { "chains": { "APP": { "rules": ["-j DROP"] } } } } })"));
    Plan plan;
    plan.steps.push_back(step<Chain>(nullptr, want.find<Chain>({Family::inet, "filter", "APP"})));
    OvertakenHost host(*host_, overtaken);
    const engine::Report report = engine::apply(host, ruleset_, plan, {{}, {}, uses_nft()});
    batches_ = host.batches();
    return report;
  }

  int batches_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Nft, Busy, testing::Values(io::Backend::nft), backend_name);

TEST_P(Busy, ABatchThatWasOvertakenIsMadeAnew) {
  const engine::Report report = apply_overtaken(5);
  EXPECT_EQ(report.steps.at(0).result, engine::StepResult::done) << report.steps.at(0).message;
  EXPECT_EQ(batches_, 6);
  EXPECT_NE(save().find("-A APP -j DROP"), std::string::npos);
}

TEST_P(Busy, OneThatIsOvertakenFortyTimesIsGivenUpAsBusy) {
  const engine::Report report = apply_overtaken(1000);
  EXPECT_TRUE(report.failed);
  EXPECT_EQ(report.steps.at(0).result, engine::StepResult::failed);
  EXPECT_EQ(report.steps.at(0).error, EBUSY);
  EXPECT_TRUE(report.steps.at(0).busy);
  EXPECT_EQ(batches_, 40);
  EXPECT_EQ(save().find("APP"), std::string::npos);
}

}  // namespace

}  // namespace plumbline
