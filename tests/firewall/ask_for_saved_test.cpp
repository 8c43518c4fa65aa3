// What a host cannot say of its rules is never taken for no rules.

#include <gmock/gmock.h>

#include "plumbline/firewall/observe/saved.hpp"
#include "plumbline/io/kernel_host.hpp"
#include "tests/support/netns.hpp"

namespace plumbline::firewall {

namespace {

class AskForSaved : public test::NetnsTest {};

TEST_F(AskForSaved, WhatIptablesCannotShowIsAnError) {
  if (test::run({"iptables-nft", "--version"}).status != 0) GTEST_SKIP() << "no iptables-nft";
  if (test::run({"nft", "--version"}).status != 0) GTEST_SKIP() << "no nft";
  io::KernelHost host(io::Backend::nft);
  test::must_run({"iptables-nft", "-A", "INPUT", "-j", "ACCEPT"});
  EXPECT_EQ(ask_for_saved(host, Family::inet).chains.at(0).rules,
            std::vector<std::string>{"-j ACCEPT"});
  test::must_run({"nft", "-f", "-"}, "add rule ip filter INPUT ct state new accept");
  try {
    static_cast<void>(ask_for_saved(host, Family::inet));
    FAIL() << "it was believed";
  } catch (const io::HostError& error) {
    EXPECT_STREQ(error.what(),
                 "the iptables rules cannot be seen: the table 'filter' holds what iptables cannot "
                 "show; look with 'nft list table'");
  }
}

/// A host that answers with one text.
class OneText final : public io::Host {
 public:
  explicit OneText(wire::Reply reply) : reply_(std::move(reply)) {}
  std::vector<wire::Reply> exchange(std::span<const wire::Request> requests) override {
    return std::vector<wire::Reply>(requests.size(), reply_);
  }

 private:
  wire::Reply reply_;
};

TEST(ObserveSaved, FillsBothKindsAndSaysWhatThereIsToSay) {
  wire::Reply reply;
  reply.text =
      "# Table `nat' contains incompatible base-chains, use 'nft' tool to list them.\n"
      "*filter\n:FORWARD DROP [0:0]\n:APP - [0:0]\n-A FORWARD -j APP\n"
      "-A APP -m comment --comment plumbline\nCOMMIT\n";
  reply.message = "others hold rules";
  OneText host(reply);
  State state;
  EXPECT_EQ(observe_saved(host, Family::inet6, state),
            "others hold rules; the table 'nat' has base chains that iptables cannot show; look "
            "with 'nft list table'");
  ASSERT_EQ(state.of<Chain>().size(), 1U);
  EXPECT_TRUE(state.of<Chain>().front().marked);
  ASSERT_EQ(state.of<SharedChain>().size(), 1U);
  EXPECT_EQ(state.of<SharedChain>().front().family, Family::inet6);
  EXPECT_EQ(state.of<SharedChain>().front().policy, "DROP");
}

}  // namespace

}  // namespace plumbline::firewall
