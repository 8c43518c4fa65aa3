// What is asked of nf_tables and ipset, what they say, and what is written for them.

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <linux/netfilter.h>
#include <linux/netfilter/ipset/ip_set.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/xt_set.h>

#include <map>

#include "plumbline/firewall/bytes/nftables.hpp"
#include "tests/support/nft_expression_bytes.hpp"

namespace plumbline::firewall {
namespace {

using test::compare;
using test::counter;
using test::extension;
using test::verdict;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;
using test::operator+;

wire::Bytes nft_message(unsigned operation, std::uint8_t family, const test::Fill& fill,
                        unsigned subsystem = NFNL_SUBSYS_NFTABLES) {
  wire::MessageBuilder message(static_cast<std::uint16_t>(subsystem << 8U | operation), 0);
  message.header(nfgenmsg{family, NFNETLINK_V0, 0});
  fill(message);
  return std::move(message).finish();
}

wire::Bytes rule_message(std::uint8_t family, const wire::Bytes& expressions = counter(1, 2)) {
  return nft_message(NFT_MSG_NEWRULE, family, [&](wire::MessageBuilder& message) {
    message.string(NFTA_RULE_TABLE, "filter").string(NFTA_RULE_CHAIN, "INPUT");
    test::add_u64(message, NFTA_RULE_HANDLE, 0x100000002);
    test::add_u64(message, NFTA_RULE_POSITION, 1);
    message.bytes(NFTA_RULE_EXPRESSIONS, expressions);
    message.bytes(NFTA_RULE_USERDATA, wire::Bytes(2));
  });
}

wire::Bytes chain_message(std::uint8_t family, std::optional<std::uint32_t> policy) {
  return nft_message(NFT_MSG_NEWCHAIN, family, [&](wire::MessageBuilder& message) {
    message.string(NFTA_CHAIN_TABLE, "filter").string(NFTA_CHAIN_NAME, "INPUT");
    test::add_u64(message, NFTA_CHAIN_HANDLE, 5);
    if (policy) {
      message.nest(NFTA_CHAIN_HOOK, [](auto& nest) { nest.u32(NFTA_HOOK_HOOKNUM, 0); });
      message.u32(NFTA_CHAIN_POLICY, htobe32(*policy));
    }
    message.u32(NFTA_CHAIN_USE, htobe32(3)).bytes(NFTA_CHAIN_USERDATA, wire::Bytes(1));
  });
}

TEST(ReadRules, GivesThoseOfOurFamilies) {
  const auto rules = read_rules(rule_message(NFPROTO_IPV4) + rule_message(NFPROTO_INET) +
                                rule_message(NFPROTO_BRIDGE) + rule_message(NFPROTO_ARP) +
                                chain_message(NFPROTO_IPV4, {}) + rule_message(NFPROTO_IPV6, {}));
  ASSERT_THAT(rules, SizeIs(3));
  EXPECT_EQ(rules[0].family, Family::inet);
  EXPECT_EQ(rules[0].table, "filter");
  EXPECT_EQ(rules[0].chain, "INPUT");
  EXPECT_EQ(rules[0].handle, 0x100000002U);
  EXPECT_EQ(rules[0].expressions, counter(1, 2));
  EXPECT_EQ(rules[0].userdata, wire::Bytes(2));
  EXPECT_EQ(rules[1].family, Family::bridge);
  EXPECT_EQ(rules[2].family, Family::inet6);
  EXPECT_THAT(rules[2].expressions, IsEmpty());
  EXPECT_THAT(read_rules({}), IsEmpty());
}

TEST(ReadChains, GivesThoseOfOurFamilies) {
  const auto chains =
      read_chains(chain_message(NFPROTO_IPV6, NF_DROP) + chain_message(NFPROTO_NETDEV, NF_DROP) +
                  chain_message(NFPROTO_IPV4, NF_ACCEPT) + chain_message(NFPROTO_BRIDGE, {}));
  ASSERT_THAT(chains, SizeIs(3));
  EXPECT_EQ(chains[0].family, Family::inet6);
  EXPECT_TRUE(chains[0].hook);
  EXPECT_EQ(chains[0].policy, "DROP");
  EXPECT_EQ(chains[0].uses, 3U);
  EXPECT_EQ(chains[0].handle, 5U);
  EXPECT_EQ(chains[0].userdata, wire::Bytes(1));
  EXPECT_EQ(chains[1].policy, "ACCEPT");
  EXPECT_EQ(chains[2].family, Family::bridge);
  EXPECT_FALSE(chains[2].hook);
  EXPECT_EQ(chains[2].policy, std::nullopt);
}

TEST(ReadChains, APolicyThatIsNoVerdictIsRefused) {
  EXPECT_THROW(static_cast<void>(read_chains(chain_message(NFPROTO_IPV4, 7))), wire::Malformed);
}

TEST(ReadRules, RefusesARuleWithoutAPlace) {
  for (const int missing : {NFTA_RULE_TABLE, NFTA_RULE_CHAIN, NFTA_RULE_HANDLE}) {
    const auto message =
        nft_message(NFT_MSG_NEWRULE, NFPROTO_IPV4, [&](wire::MessageBuilder& built) {
          if (missing != NFTA_RULE_TABLE) built.string(NFTA_RULE_TABLE, "filter");
          if (missing != NFTA_RULE_CHAIN) built.string(NFTA_RULE_CHAIN, "INPUT");
          if (missing != NFTA_RULE_HANDLE) test::add_u64(built, NFTA_RULE_HANDLE, 1);
        });
    EXPECT_THROW(static_cast<void>(read_rules(message)), wire::Malformed) << missing;
  }
  const auto whole = rule_message(NFPROTO_IPV4);
  for (std::size_t size = 1; size < whole.size(); ++size) {
    const wire::Bytes part(whole.begin(), whole.begin() + static_cast<long>(size));
    EXPECT_THROW(static_cast<void>(read_rules(part)), wire::Malformed) << size;
  }
}

TEST(ReadGeneration, RefusesWhatWouldMeanNotToCompare) {
  const auto answer = [](std::uint32_t generation) {
    return nft_message(NFT_MSG_NEWGEN, NFPROTO_UNSPEC,
                       [&](auto& message) { message.u32(NFTA_GEN_ID, htobe32(generation)); });
  };
  EXPECT_EQ(read_generation(answer(0x01020304)), 0x01020304U);
  EXPECT_THROW(static_cast<void>(read_generation(answer(0))), wire::Malformed);
  EXPECT_THROW(static_cast<void>(read_generation({})), wire::Malformed);
}

TEST(ReadSets, GivesTheNameAndTheIndex) {
  const auto name = nft_message(
      IPSET_CMD_GET_BYINDEX, NFPROTO_IPV4,
      [](auto& message) { message.string(IPSET_ATTR_SETNAME, "blocked"); }, NFNL_SUBSYS_IPSET);
  const auto index = nft_message(
      IPSET_CMD_GET_BYNAME, NFPROTO_IPV4,
      [](auto& message) { message.u16(IPSET_ATTR_INDEX, htobe16(0x0102)); }, NFNL_SUBSYS_IPSET);
  EXPECT_EQ(read_set_name(name), "blocked");
  EXPECT_EQ(read_set_index(index), 0x0102);
  EXPECT_THROW(static_cast<void>(read_set_name(index)), wire::Malformed);
  EXPECT_THROW(static_cast<void>(read_set_index(name)), wire::Malformed);
}

TEST(Hook, IsThatOfTheFamilysTable) {
  const auto output = builtin_hook(Family::inet6, "mangle", "OUTPUT");
  ASSERT_TRUE(output);
  EXPECT_EQ(output->type, "route");
  EXPECT_EQ(output->number, static_cast<std::uint32_t>(NF_INET_LOCAL_OUT));
  EXPECT_EQ(output->priority, -150);
  EXPECT_EQ(builtin_hook(Family::inet, "filter", "OURS"), std::nullopt);
  EXPECT_EQ(builtin_hook(Family::inet, "filter", "POSTROUTING"), std::nullopt);
  EXPECT_EQ(builtin_hook(Family::bridge, "mangle", "OUTPUT"), std::nullopt);
  EXPECT_EQ(builtin_hook(Family::bridge, "nat", "INPUT"), std::nullopt);
}

// ---- batches ------------------------------------------------------------------------------------

/// The attributes of each message, by type.
std::vector<std::map<int, wire::Bytes>> attributes_of(const wire::NftBatch& batch) {
  std::vector<std::map<int, wire::Bytes>> all;
  wire::for_each_message(batch.messages, [&](const wire::Message& message) {
    auto& attributes = all.emplace_back();
    message.attributes<nfgenmsg>([&](const wire::Attribute& attribute) {
      attributes[attribute.type()] = {attribute.payload().begin(), attribute.payload().end()};
    });
  });
  return all;
}

wire::Bytes compat(std::uint32_t protocol, bool inverted) {
  return test::attributes([&](wire::MessageBuilder& nest) {
    nest.u32(NFTA_RULE_COMPAT_PROTO, htobe32(protocol));
    nest.u32(NFTA_RULE_COMPAT_FLAGS, htobe32(inverted ? 2U : 0U));
  });
}

std::optional<wire::Bytes> compat_written(Family family, const wire::Bytes& expressions) {
  NftBatchWriter writer;
  writer.add_rule(family, "filter", "INPUT", {expressions, {}, {}}, {}, {});
  auto attributes = attributes_of(std::move(writer).finish(0)).at(0);
  const auto found = attributes.find(NFTA_RULE_COMPAT);
  return found == attributes.end() ? std::nullopt : std::optional(found->second);
}

const wire::Bytes some_match = extension("match", "tcp", 0, wire::Bytes(16));

TEST(NftBatchWriter, TellsExtensionsTheProtocolThatTheRuleCompares) {
  const wire::Bytes tcp{std::byte{6}};
  const auto load = test::load_meta(NFT_META_L4PROTO);
  EXPECT_EQ(compat_written(Family::inet, load + compare(NFT_CMP_EQ, tcp) + some_match),
            compat(6, false));
  EXPECT_EQ(compat_written(Family::inet6, load + compare(NFT_CMP_NEQ, tcp) + some_match),
            compat(6, true));
  EXPECT_EQ(compat_written(Family::inet, some_match), compat(0, false));
  EXPECT_EQ(compat_written(Family::inet, extension("target", "LOG", 0, wire::Bytes(32))),
            compat(0, false));
  EXPECT_EQ(compat_written(Family::inet, load + compare(NFT_CMP_EQ, tcp)), std::nullopt);
}

TEST(NftBatchWriter, TakesNoOtherComparisonForTheProtocol) {
  const wire::Bytes tcp{std::byte{6}};
  const wire::Bytes udp{std::byte{17}};
  const auto load = test::load_meta(NFT_META_L4PROTO);
  const auto other = test::load_meta(NFT_META_PKTTYPE) + compare(NFT_CMP_EQ, tcp);
  EXPECT_EQ(compat_written(Family::inet, other + some_match), compat(0, false));
  EXPECT_EQ(compat_written(Family::inet, load + compare(NFT_CMP_LT, tcp) + some_match),
            compat(0, false));
  EXPECT_EQ(compat_written(Family::inet, other + load + compare(NFT_CMP_EQ, udp) + load +
                                             compare(NFT_CMP_EQ, tcp) + some_match),
            compat(17, false));
}

TEST(NftBatchWriter, TellsExtensionsOfABridgeTheProtocolOfTheFrame) {
  const wire::Bytes arp{std::byte{8}, std::byte{6}};
  std::uint16_t number = 0;
  std::memcpy(&number, arp.data(), sizeof number);
  for (const auto& load : {test::load_frame_protocol(), test::load_meta(NFT_META_PROTOCOL)}) {
    EXPECT_EQ(compat_written(Family::bridge, load + compare(NFT_CMP_EQ, arp) + some_match),
              compat(number, false));
    EXPECT_EQ(compat_written(Family::bridge, load + compare(NFT_CMP_NEQ, arp) + some_match),
              compat(number, true));
  }
  const auto of_ip =
      test::load_meta(NFT_META_L4PROTO) + compare(NFT_CMP_EQ, {std::byte{6}}) + some_match;
  EXPECT_EQ(compat_written(Family::bridge, of_ip), compat(0, false));
}

RuleCode code_with_sets(std::vector<std::string> sets, std::uint16_t position) {
  xt_set_info_target_v3 target{};
  target.add_set.index = position;
  target.del_set.index = IPSET_INVALID_ID;
  target.map_set.index = IPSET_INVALID_ID;
  const auto bytes = std::as_bytes(std::span(&target, 1));
  return {
      extension("target", "SET", 3, wire::Bytes(bytes.begin(), bytes.end())), std::move(sets), {}};
}

TEST(NftBatchWriter, PutsTheIndexOfTheSetInPlaceOfItsPosition) {
  NftBatchWriter writer;
  writer.add_rule(Family::inet, "filter", "INPUT", code_with_sets({"first", "second"}, 1), {},
                  [](const std::string& name) {
                    return static_cast<std::uint16_t>(name == "second" ? 4711 : 0);
                  });
  const auto written = attributes_of(std::move(writer).finish(0)).at(0).at(NFTA_RULE_EXPRESSIONS);
  EXPECT_EQ(written, code_with_sets({}, 4711).expressions);
}

TEST(NftBatchWriter, RefusesASetWithoutAName) {
  NftBatchWriter writer;
  const auto index = [](const std::string&) { return std::uint16_t{1}; };
  for (const auto& code : {code_with_sets({"one"}, 1), code_with_sets({}, 0)}) {
    EXPECT_THROW(writer.add_rule(Family::inet, "filter", "INPUT", code, {}, index),
                 wire::Malformed);
  }
  EXPECT_TRUE(writer.empty());
}

TEST(NftBatchWriter, RefusesWhatFitsIntoNoMessage) {
  NftBatchWriter writer;
  const std::string name(70'000, 'x');
  EXPECT_THROW(writer.add_table(Family::inet, name), wire::Malformed);
  EXPECT_THROW(writer.add_chain(Family::inet, "filter", "A", wire::Bytes(70'000)), wire::Malformed);
  EXPECT_THROW(writer.set_policy(Family::inet, "filter", "INPUT", "RETURN"), wire::Malformed);
  wire::Bytes many;
  while (many.size() < 65'536) many = std::move(many) + counter(0, 0);
  EXPECT_THROW(writer.add_rule(Family::inet, "filter", "A", {many, {}, {}}, {}, {}),
               wire::Malformed);
  EXPECT_TRUE(writer.empty());
}

TEST(NftBatchWriter, CountsItsMessagesAndAsksForTheAckOfTheLast) {
  NftBatchWriter writer;
  EXPECT_TRUE(writer.empty());
  writer.add_table(Family::inet, "filter");
  writer.add_base_chain(Family::inet, "filter", "INPUT", {"filter", 1, -5});
  writer.add_chain(Family::inet, "filter", "A", wire::Bytes(3));
  EXPECT_EQ(writer.size(), 3U);
  writer.add_rule(Family::bridge, "filter", "A", {counter(0, 0), {}, wire::Bytes(5)},
                  {Place::Where::before, 9}, {});
  writer.remove_all_rules(Family::inet, "filter", "A");
  EXPECT_EQ(writer.size(), 5U);
  const wire::NftBatch batch = std::move(writer).finish(77);
  EXPECT_EQ(batch.generation, 77U);
  std::vector<unsigned> operations;
  std::vector<bool> acked;
  wire::for_each_message(batch.messages, [&](const wire::Message& message) {
    operations.push_back(message.type() & 0xffU);
    acked.push_back((message.flags() & NLM_F_ACK) != 0);
  });
  EXPECT_THAT(operations, ElementsAre(NFT_MSG_NEWTABLE, NFT_MSG_NEWCHAIN, NFT_MSG_NEWCHAIN,
                                      NFT_MSG_NEWRULE, NFT_MSG_DELRULE));
  EXPECT_THAT(acked, ElementsAre(false, false, false, false, true));
  EXPECT_EQ(std::move(NftBatchWriter()).finish(5), (wire::NftBatch{{}, 5}));
}

TEST(Framed, IsTheBatchBetweenItsBeginAndItsEnd) {
  NftBatchWriter writer;
  writer.remove_table(Family::bridge, "nat");
  writer.remove_all_tables();
  for (const std::uint32_t generation : {0U, 77U}) {
    const wire::NftBatch batch{NftBatchWriter(writer).finish(1).messages, generation};
    std::vector<unsigned> types;
    std::vector<std::uint32_t> generations;
    wire::Bytes between;
    wire::for_each_message(framed(batch), [&](const wire::Message& message) {
      types.push_back(message.type());
      EXPECT_EQ(message.fixed<nfgenmsg>().res_id,
                message.type() < NLMSG_MIN_TYPE + 2 ? htons(NFNL_SUBSYS_NFTABLES) : 0);
      message.attributes<nfgenmsg>([&](const wire::Attribute& attribute) {
        if (message.type() == NFNL_MSG_BATCH_BEGIN) generations.push_back(ntohl(attribute.u32()));
      });
      if (message.type() == NFNL_MSG_BATCH_BEGIN || message.type() == NFNL_MSG_BATCH_END) return;
      const auto whole = message.whole();
      between.insert(between.end(), whole.begin(), whole.end());
      between.resize(wire::aligned(between.size()));
    });
    constexpr unsigned remove = (NFNL_SUBSYS_NFTABLES << 8U) | NFT_MSG_DELTABLE;
    EXPECT_THAT(types, ElementsAre(NFNL_MSG_BATCH_BEGIN, remove, remove, NFNL_MSG_BATCH_END));
    EXPECT_EQ(generations, generation == 0 ? std::vector<std::uint32_t>()
                                           : std::vector<std::uint32_t>{generation});
    EXPECT_EQ(between, batch.messages);
  }
}

TEST(NftBatchWriter, SendsNoPolicyAndNoFlagsOfWhatMayBeThere) {
  NftBatchWriter writer;
  writer.add_table(Family::inet, "filter");
  writer.add_base_chain(Family::inet, "filter", "INPUT", {"filter", 1, 0});
  const auto attributes = attributes_of(std::move(writer).finish(0));
  EXPECT_FALSE(attributes[0].contains(NFTA_TABLE_FLAGS));
  EXPECT_FALSE(attributes[1].contains(NFTA_CHAIN_POLICY));
}

}  // namespace
}  // namespace plumbline::firewall
