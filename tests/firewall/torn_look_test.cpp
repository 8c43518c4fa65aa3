// Others who commit while the chains are read, every time.

#include <gmock/gmock.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netlink.h>

#include <cstring>

#include "plumbline/engine/pass.hpp"
#include "tests/firewall/firewall.hpp"

namespace plumbline {

namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// Calls `before` with the kind of each question about nf_tables, and the name it is about.
class MeddledHost final : public io::Host {
 public:
  using Before = std::function<void(unsigned operation, const std::string& about)>;

  MeddledHost(io::Host& host, Before before) : host_(&host), before_(std::move(before)) {}

  std::vector<wire::Reply> exchange(std::span<const wire::Request> requests) override {
    for (const wire::Request& request : requests) {
      const auto* query = std::get_if<wire::NetfilterQuery>(&request);
      if (query == nullptr) continue;
      nlmsghdr header{};
      std::memcpy(&header, query->message.data(), sizeof header);
      before_(header.nlmsg_type & 0xffU,
              {reinterpret_cast<const char*>(query->message.data()), query->message.size()});
    }
    return host_->exchange(requests);
  }

 private:
  io::Host* host_;
  Before before_;
};

class TornLook : public Firewall {
 protected:
  void SetUp() override {
    Firewall::SetUp();
    if (!IsSkipped()) restore("*filter\n:APP -\n-A APP -s 10.0.0.1 -j DROP\nCOMMIT\n");
  }

  engine::Observed observe_meddled(const MeddledHost::Before& before) {
    MeddledHost host(*host_, before);
    const firewall::ChainScope scope{{{Family::inet, "filter", "APP"}}, {}};
    return engine::observe(host, ruleset_, true, {}, scope, engine::look_around(*host_));
  }
  /// Somebody else's commit; each is another one.
  void append_to(const std::string& chain) {
    restore("*filter\n-A " + chain + " -s 10.1.0." + std::to_string(++commits_) +
            " -j ACCEPT\nCOMMIT\n");
  }
  int commits_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Nft, TornLook, testing::Values(io::Backend::nft), backend_name);

TEST_P(TornLook, AtWhatChangesEveryTimeIsTold) {
  const engine::Observed torn = observe_meddled([&](unsigned operation, const std::string&) {
    if (operation == NFT_MSG_GETCHAIN) append_to("APP");
  });
  EXPECT_THAT(torn.warnings, ElementsAre(HasSubstr("change faster than they can be read")));
  EXPECT_GE(commits_, 6);
  EXPECT_THAT(observe_meddled([](unsigned, const std::string&) {}).warnings, IsEmpty());
}

TEST_P(TornLook, IsNotShown) {
  MeddledHost host(*host_, [&](unsigned operation, const std::string&) {
    if (operation == NFT_MSG_GETCHAIN) append_to("INPUT");
  });
  const engine::Context context{host, *compiler_, ruleset_, {}, {}, false};
  engine::Ledger ledger;
  EXPECT_THROW(static_cast<void>(engine::observe_for_show(context, ledger, true)), io::HostError);
}

TEST_P(TornLook, AtWhatIsOthersIsAsGoodAsAny) {
  restore("*filter\n:THEIRS -\nCOMMIT\n");
  const engine::Observed seen = observe_meddled([&](unsigned operation, const std::string&) {
    if (operation == NFT_MSG_GETCHAIN) append_to("THEIRS");
  });
  EXPECT_THAT(seen.warnings, IsEmpty());
  EXPECT_LE(commits_, 3) << "two looks that agree are enough, and one at which chains are left";
}

TEST_P(TornLook, MissesNothingOfAChainThatCameMeanwhile) {
  int listed = 0;
  const State state = observe_meddled([&](unsigned operation, const std::string&) {
                        if (operation != NFT_MSG_GETCHAIN) return;
                        ++listed;
                        if (listed == 1) restore("*filter\n:LATE -\nCOMMIT\n");
                        if (listed == 2) restore("*filter\n-A LATE -s 10.0.0.9 -j DROP\nCOMMIT\n");
                      }).state;
  EXPECT_GE(listed, 2);
  const Chain* late = state.find<Chain>({Family::inet, "filter", "LATE"});
  ASSERT_NE(late, nullptr);
  EXPECT_EQ(late->rules.size(), 1U);
}

TEST_P(TornLook, DoesNotTakeAChainThatWentMeanwhileForAnEmptyOne) {
  observe();
  bool there = false;
  const State state = observe_meddled([&](unsigned operation, const std::string& about) {
                        if (operation == NFT_MSG_GETCHAIN && !std::exchange(there, true)) {
                          restore("*filter\n:GONE -\n-A GONE -s 10.0.0.9 -j DROP\nCOMMIT\n");
                        }
                        if (operation == NFT_MSG_GETRULE && about.find("GONE") != about.npos &&
                            std::exchange(there, false)) {
                          restore("*filter\n-F GONE\n-X GONE\nCOMMIT\n");
                        }
                      }).state;
  EXPECT_EQ(state.find<Chain>({Family::inet, "filter", "GONE"}), nullptr);
}

}  // namespace

}  // namespace plumbline
