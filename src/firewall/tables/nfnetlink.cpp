#include "plumbline/firewall/tables/nfnetlink.hpp"

#include <cerrno>

#include "plumbline/io/descriptor.hpp"

namespace plumbline::firewall {

wire::Reply Nfnetlink::ask(wire::Bytes message) {
  const wire::Request request = wire::NetfilterQuery{std::move(message)};
  return std::move(host_->exchange(std::span(&request, 1)).front());
}

std::uint32_t Nfnetlink::generation() {
  const wire::Reply reply = ask(generation_query());
  if (reply.error != 0) {
    throw io::HostError("the rules of nf_tables cannot be seen: no generation (error " +
                        std::to_string(reply.error) + ")");
  }
  return read_generation(reply.bytes);
}

bool Nfnetlink::is_there() {
  // nfnetlink_rcv_msg() in net/netfilter/nfnetlink.c, when no module for it can be loaded
  const int error = ask(generation_query()).error;
  return error != EINVAL && error != EPROTONOSUPPORT;
}

std::vector<DumpedTable> Nfnetlink::tables() {
  const wire::Reply reply = ask(tables_query());
  if (reply.error != 0) throw io::HostError("the tables of nf_tables cannot be seen");
  return read_tables(reply.bytes);
}

std::vector<DumpedChain> Nfnetlink::chains() {
  const wire::Reply reply = ask(chains_query());
  if (reply.error != 0) throw io::HostError("the chains of nf_tables cannot be seen");
  return read_chains(reply.bytes);
}

std::optional<std::vector<DumpedRule>> Nfnetlink::rules(const Chain::Key& chain) {
  const wire::Reply reply = ask(rules_query(chain.family, chain.table, chain.name));
  if (reply.error == ENOENT) return std::nullopt;
  if (reply.error != 0) throw io::HostError("the rules of " + format(chain) + " cannot be seen");
  return read_rules(reply.bytes);
}

std::vector<DumpedRule> Nfnetlink::all_rules() {
  const wire::Reply reply = ask(rules_query());
  if (reply.error != 0) throw io::HostError("the rules of nf_tables cannot be seen");
  return read_rules(reply.bytes);
}

std::set<TableKey> Nfnetlink::tables_with_maps_to_chains() {
  const wire::Reply reply = ask(maps_query());
  if (reply.error != 0) throw io::HostError("the sets of nf_tables cannot be seen");
  std::set<TableKey> tables;
  for (const auto& [family, table] : read_maps_to_chains(reply.bytes)) {
    tables.emplace(family, table);
  }
  return tables;
}

std::optional<std::uint16_t> Nfnetlink::find_set(const std::string& name) {
  const wire::Reply reply = ask(set_index_query(name));
  if (io::is_shortage(reply.error)) io::give_up("ipset " + name + " cannot be seen", reply.error);
  if (reply.error != 0) return std::nullopt;
  return read_set_index(reply.bytes);
}

std::string Nfnetlink::set_name(std::uint16_t index) {
  const auto [found, added] = set_names_.try_emplace(index);
  if (added) {
    const wire::Reply reply = ask(set_name_query(index));
    if (io::is_shortage(reply.error)) {
      set_names_.erase(found);
      io::give_up("an ipset of a rule cannot be seen", reply.error);
    }
    // A set that is named by a rule cannot be destroyed, so the rule is gone, or names nothing.
    found->second =
        reply.error == 0 ? read_set_name(reply.bytes) : "no set of index " + std::to_string(index);
  }
  return found->second;
}

RuleCode Nfnetlink::code(DumpedRule rule) {
  return code_of(std::move(rule), [this](std::uint16_t index) { return set_name(index); });
}

}  // namespace plumbline::firewall
