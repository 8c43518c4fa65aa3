#include "tests/support/nft_rules.hpp"

#include <linux/netlink.h>

#include <algorithm>
#include <cstring>
#include <set>
#include <sstream>
#include <stdexcept>

#include "src/io/nft_tables.hpp"
#include "tests/support/netns.hpp"

namespace plumbline::test {

namespace {

std::string place_of(Family family, const std::string& table, const std::string& chain) {
  return std::string(format(family)) + ' ' + table + ' ' + chain;
}

[[noreturn]] void refused(const std::string& what, const wire::Reply& reply) {
  throw std::runtime_error(what + ": " + std::strerror(reply.error) + ", " + reply.message +
                           (reply.place ? ", message " + std::to_string(*reply.place) : ""));
}

void add_chains(firewall::NftBatchWriter& writer,
                const std::vector<firewall::DumpedChain>& chains) {
  std::set<std::pair<Family, std::string>> tables;
  for (const auto& chain : chains) {
    if (tables.emplace(chain.family, chain.table).second) {
      writer.add_table(chain.family, chain.table);
    }
    if (!chain.hook) {
      writer.add_chain(chain.family, chain.table, chain.name, chain.userdata);
      continue;
    }
    const auto hook = firewall::builtin_hook(chain.family, chain.table, chain.name);
    if (!hook) throw std::runtime_error("not built in: " + chain.table + ' ' + chain.name);
    writer.add_base_chain(chain.family, chain.table, chain.name, *hook);
    writer.set_policy(chain.family, chain.table, chain.name, *chain.policy);
  }
}

}  // namespace

NftSide::NftSide() : socket_(NETLINK_NETFILTER) {}

wire::Bytes NftSide::ask(wire::Bytes message) {
  auto reply = io::ask(socket_, {std::move(message)});
  if (reply.error != 0) refused("a question", reply);
  return std::move(reply.bytes);
}

wire::Reply NftSide::try_commit(const wire::NftBatch& batch) { return io::commit(socket_, batch); }

void NftSide::commit(const wire::NftBatch& batch) {
  if (const auto reply = try_commit(batch); reply.error != 0) refused("a batch", reply);
}

std::uint32_t NftSide::generation() {
  return firewall::read_generation(ask(firewall::generation_query()));
}

std::vector<firewall::DumpedChain> NftSide::chains() {
  return firewall::read_chains(ask(firewall::chains_query()));
}

std::vector<firewall::DumpedRule> NftSide::dump() {
  return firewall::read_rules(ask(firewall::rules_query()));
}

std::string NftSide::set_name(std::uint16_t index) {
  return firewall::read_set_name(ask(firewall::set_name_query(index)));
}

std::uint16_t NftSide::set_index(const std::string& name) {
  return firewall::read_set_index(ask(firewall::set_index_query(name)));
}

firewall::RuleCode NftSide::code(const firewall::DumpedRule& rule) {
  return firewall::code_of(rule, [this](std::uint16_t index) { return set_name(index); });
}

NftRules NftSide::rules() {
  NftRules all;
  for (const auto& rule : dump()) {
    all[place_of(rule.family, rule.table, rule.chain)].push_back(code(rule));
  }
  return all;
}

wire::NftBatch NftSide::copy_of(NftSide& from) {
  firewall::NftBatchWriter writer;
  add_chains(writer, from.chains());
  for (const auto& rule : from.dump()) {
    writer.add_rule(rule.family, rule.table, rule.chain, from.code(rule), {},
                    [this](const std::string& name) { return set_index(name); });
  }
  return std::move(writer).finish(generation());
}

std::string saved_by_nft() {
  std::string all;
  for (const char* const family : {"ip", "ip6", "eb"}) {
    std::istringstream saved(must_run({std::string(family) + "tables-nft-save"}));
    std::string line;
    while (std::getline(saved, line)) {
      if (!line.starts_with("#")) all += line + '\n';
    }
  }
  return all;
}

}  // namespace plumbline::test
