// Rules as the kernel dumps them, made comparable.

#include <gmock/gmock.h>
#include <linux/netfilter.h>
#include <linux/netfilter/xt_set.h>

#include "plumbline/firewall/bytes/nftables.hpp"
#include "tests/support/nft_expression_bytes.hpp"

namespace plumbline::firewall {
namespace {

using test::counter;
using test::expression;
using test::extension;
using test::verdict;
using testing::ElementsAre;
using testing::IsEmpty;
using test::operator+;

RuleCode code_of(wire::Bytes expressions) {
  DumpedRule rule;
  rule.expressions = std::move(expressions);
  return code_of(rule, [](std::uint16_t index) { return "set" + std::to_string(index); });
}

template <class Structure>
wire::Bytes bytes_of(const Structure& structure) {
  const auto bytes = std::as_bytes(std::span(&structure, 1));
  return {bytes.begin(), bytes.end()};
}

std::vector<std::string> sets_of(const wire::Bytes& expressions) {
  return code_of(expressions).sets;
}

TEST(RuleCode, HasNoCounts) {
  const auto rest = verdict(NF_ACCEPT);
  EXPECT_EQ(code_of(counter(700, 7) + rest), code_of(counter(0, 0) + rest));
  EXPECT_EQ(code_of(counter(700, 7) + rest).expressions, counter(0, 0) + rest);
}

wire::Bytes quota(std::uint64_t bytes, std::uint32_t flags, std::uint64_t consumed) {
  return expression("quota", [&](wire::MessageBuilder& data) {
    test::add_u64(data, NFTA_QUOTA_BYTES, bytes);
    data.u32(NFTA_QUOTA_FLAGS, htobe32(flags));
    test::add_u64(data, NFTA_QUOTA_CONSUMED, consumed);
  });
}

TEST(RuleCode, HasTheQuotaAndNotWhatIsUsedUpOfIt) {
  EXPECT_EQ(code_of(quota(1000, NFT_QUOTA_F_INV | NFT_QUOTA_F_DEPLETED, 1000)),
            code_of(quota(1000, NFT_QUOTA_F_INV, 0)));
  EXPECT_EQ(code_of(quota(1000, 0, 5)).expressions, quota(1000, 0, 0));
  EXPECT_NE(code_of(quota(1000, 0, 5)), code_of(quota(2000, 0, 5)));
  EXPECT_NE(code_of(quota(1000, NFT_QUOTA_F_INV, 0)), code_of(quota(1000, 0, 0)));
}

TEST(RuleCode, DoesNotSayWhenTheRuleWasLastUsed) {
  const auto last = [](std::uint32_t set, std::uint64_t milliseconds) {
    return expression("last", [&](wire::MessageBuilder& data) {
      data.u32(NFTA_LAST_SET, htobe32(set));
      test::add_u64(data, NFTA_LAST_MSECS, milliseconds);
    });
  };
  EXPECT_EQ(code_of(last(1, 4711)), code_of(last(0, 0)));
}

TEST(RuleCode, NamesTheSetOfEachRevisionOfTheMatch) {
  xt_set_info_match_v0 oldest{};
  oldest.match_set.index = 7;
  EXPECT_THAT(sets_of(extension("match", "set", 0, bytes_of(oldest))), ElementsAre("set7"));
  xt_set_info_match_v1 first{};
  first.match_set.index = 8;
  for (const std::uint32_t revision : {1U, 2U}) {
    EXPECT_THAT(sets_of(extension("match", "set", revision, bytes_of(first))), ElementsAre("set8"));
  }
  xt_set_info_match_v3 third{};
  third.match_set.index = 9;
  EXPECT_THAT(sets_of(extension("match", "set", 3, bytes_of(third))), ElementsAre("set9"));
  xt_set_info_match_v4 fourth{};
  fourth.match_set.index = 10;
  EXPECT_THAT(sets_of(extension("match", "set", 4, bytes_of(fourth))), ElementsAre("set10"));
}

TEST(RuleCode, NamesTheSetsOfEachRevisionOfTheTarget) {
  xt_set_info_target_v0 oldest{};
  oldest.add_set.index = 3;
  oldest.del_set.index = 4;
  EXPECT_THAT(sets_of(extension("target", "SET", 0, bytes_of(oldest))),
              ElementsAre("set3", "set4"));
  xt_set_info_target_v2 second{};
  second.add_set.index = 5;
  second.del_set.index = 6;
  second.flags = 1;
  second.timeout = 2;
  EXPECT_THAT(sets_of(extension("target", "SET", 2, bytes_of(second))),
              ElementsAre("set5", "set6"));
  xt_set_info_target_v3 third{};
  third.add_set.index = 5;
  third.del_set.index = IPSET_INVALID_ID;
  third.map_set.index = 5;
  EXPECT_THAT(sets_of(extension("target", "SET", 3, bytes_of(third))), ElementsAre("set5", "set5"));
}

wire::Bytes set_match(std::uint16_t index, std::uint8_t flags = 0) {
  xt_set_info_match_v1 match{};
  match.match_set = {index, 1, flags};
  return extension("match", "set", 1, bytes_of(match));
}

TEST(RuleCode, IsTheSameForASetOfAnotherNumber) {
  const auto name = [](std::uint16_t) { return std::string("same"); };
  DumpedRule here;
  DumpedRule there;
  here.expressions = set_match(1) + set_match(2);
  there.expressions = set_match(3000) + set_match(4000);
  EXPECT_EQ(code_of(here, name), code_of(there, name));
  EXPECT_EQ(code_of(here, name).expressions, set_match(0) + set_match(1));
  there.expressions = set_match(3000) + set_match(4000, IPSET_MATCH_INV);
  EXPECT_NE(code_of(here, name), code_of(there, name));
}

TEST(RuleCode, IsNotMadeUpWhereASetsPlaceIsUnknown) {
  const wire::Bytes payload(64);
  EXPECT_THROW(code_of(extension("match", "set", 5, payload)), wire::Malformed);
  EXPECT_THROW(code_of(extension("target", "SET", 4, payload)), wire::Malformed);
  EXPECT_THROW(code_of(extension("match", "set", 1, wire::Bytes(1))), wire::Malformed);
  EXPECT_THROW(code_of(extension("target", "SET", 3, wire::Bytes(8))), wire::Malformed);
}

TEST(RuleCode, LeavesAllElseAsItIs) {
  const auto rest = extension("match", "tcp", 0, wire::Bytes(16, std::byte{9})) +
                    extension("target", "set", 9, wire::Bytes(2, std::byte{9})) +
                    expression("counters", [](auto& data) { data.u32(1, 5); });
  DumpedRule rule;
  rule.expressions = rest;
  rule.userdata = wire::Bytes(3, std::byte{4});
  const auto code = code_of(rule, {});
  EXPECT_EQ(code.expressions, rest);
  EXPECT_EQ(code.userdata, rule.userdata);
  EXPECT_THAT(code.sets, IsEmpty());
}

TEST(RuleCode, IsRefusedWhereTheExpressionsAreCutOff) {
  const auto whole = set_match(1) + counter(1, 1);
  const std::size_t first = set_match(1).size();
  for (std::size_t size = 1; size < whole.size(); ++size) {
    if (size == first) continue;
    EXPECT_THROW(code_of(wire::Bytes(whole.begin(), whole.begin() + static_cast<long>(size))),
                 wire::Malformed)
        << size;
  }
}

TEST(SetIndexes, AreThoseOfAllPlacesButNone) {
  xt_set_info_target_v3 target{};
  target.add_set.index = IPSET_INVALID_ID;
  target.del_set.index = 12;
  target.map_set.index = IPSET_INVALID_ID;
  EXPECT_THAT(
      set_indexes(set_match(4) + counter(1, 1) + extension("target", "SET", 3, bytes_of(target))),
      ElementsAre(4, 12));
  EXPECT_THAT(set_indexes(counter(1, 1)), IsEmpty());
  EXPECT_THAT(set_indexes({}), IsEmpty());
}

wire::Bytes text_bytes(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

wire::Bytes comment_match(const std::string& text) {
  auto payload = text_bytes(text);
  payload.resize(256);
  return extension("match", "comment", 0, payload);
}

TEST(CommentsOf, AreThoseOfMatchesAndOfTheUserdata) {
  const RuleCode code{comment_match("one") + counter(0, 0) + comment_match(std::string(256, 'x')),
                      {},
                      text_bytes(std::string("\x07\x01z\x00\x06three\x00", 11))};
  EXPECT_THAT(comments_of(code), ElementsAre("one", std::string(256, 'x'), "three"));
}

TEST(CommentsOf, AMatchWithoutItsPayloadHasAnEmptyOne) {
  const auto match =
      expression("match", [](auto& data) { data.string(NFTA_MATCH_NAME, "comment"); });
  EXPECT_THAT(comments_of({match, {}, {}}), ElementsAre(""));
}

TEST(CommentsOf, UserdataOfAnotherShapeHoldsNone) {
  for (const std::string_view userdata :
       {std::string_view("\x00", 1), std::string_view("\x00\x05text", 6), std::string_view("\xff"),
        std::string_view("\x01\x02zz", 4)}) {
    EXPECT_THAT(comments_of({{}, {}, text_bytes(userdata)}), IsEmpty());
  }
}

TEST(TargetsOf, AreVerdictsChainsAndExtensions) {
  const auto target = [](const wire::Bytes& expressions) {
    return targets_of({expressions, {}, {}});
  };
  EXPECT_THAT(target(verdict(NF_ACCEPT)), ElementsAre("ACCEPT"));
  EXPECT_THAT(target(verdict(NF_DROP)), ElementsAre("DROP"));
  EXPECT_THAT(target(verdict(NFT_RETURN)), ElementsAre("RETURN"));
  EXPECT_THAT(target(verdict(NFT_JUMP, "next")), ElementsAre("next"));
  EXPECT_THAT(target(verdict(NFT_GOTO, "over")), ElementsAre("over"));
  EXPECT_THAT(target(verdict(NFT_CONTINUE)), IsEmpty());
  EXPECT_THAT(target(counter(0, 0)), IsEmpty());
  EXPECT_THAT(target(test::load_meta(NFT_META_NFTRACE)), IsEmpty());
  EXPECT_THAT(target(extension("target", "LOG", 0, wire::Bytes(32)) + verdict(NFT_JUMP, "next")),
              ElementsAre("LOG", "next"));
  EXPECT_THROW(static_cast<void>(target(verdict(NFT_JUMP))), wire::Malformed);
}

}  // namespace
}  // namespace plumbline::firewall
