#include "tests/sim/described.hpp"

#include <linux/if.h>
#include <linux/rtnetlink.h>

#include <algorithm>
#include <sstream>

namespace plumbline::sim {

namespace {

std::string name_of(const Namespace& there, int index) {
  if (index == 0) return "-";
  const auto found = there.devices.find(index);
  return found == there.devices.end() ? "gone" : found->second.name;
}

std::string text_of(const std::optional<IpAddress>& address) {
  return address ? format(*address) : "-";
}

std::string hex(const wire::Bytes& bytes) {
  std::ostringstream text;
  for (const std::byte byte : bytes) text << std::hex << std::to_integer<unsigned>(byte) << ".";
  return text.str();
}

std::string options_of(const Namespace& there, const Device& device) {
  std::ostringstream text;
  if (const auto& it = device.bridge) {
    text << " bridge " << it->stp << it->forward_delay << ' ' << it->ageing_time
         << it->vlan_filtering << it->multicast_snooping << it->no_linklocal_learn;
  }
  if (const auto& it = device.port) {
    text << " port " << it->isolated << it->learning << it->hairpin << ' ' << it->cost << ' '
         << it->priority << ' ' << it->group_fwd_mask;
  }
  if (const auto& it = device.tun) {
    text << " tap " << it->owner.value_or(UINT32_MAX) << ' ' << it->group.value_or(UINT32_MAX)
         << it->multi_queue << it->vnet_header;
  }
  if (const auto& it = device.vxlan) {
    text << " vxlan " << it->id << ' ' << text_of(it->local) << ' ' << text_of(it->remote) << ' '
         << it->port << ' ' << name_of(there, it->lower) << it->learning;
  }
  return text.str();
}

void describe(const Namespace& there, const Device& device, std::vector<std::string>& lines) {
  std::ostringstream text;
  text << "link " << device.name << " kind=" << device.kind << " flags=" << device.flags
       << " mtu=" << device.mtu << " mac=" << format(device.mac)
       << " queue=" << device.tx_queue_length << " group=" << device.group << " alias='"
       << device.alias << "' master=" << name_of(there, device.master)
       << " peer=" << name_of(there, device.peer) << options_of(there, device);
  for (const std::string& altname : device.altnames) text << " altname=" << altname;
  lines.push_back(text.str());
  for (const auto* list : {&device.inet, &device.inet6}) {
    for (const Address& address : *list) {
      std::ostringstream words;
      words << "address " << device.name << ' ' << format(address.local) << '/'
            << int{address.length} << " peer=" << format(address.peer) << " flags=" << address.flags
            << " protocol=" << int{address.protocol} << " metric=" << address.metric
            << " scope=" << int{address.scope};
      lines.push_back(words.str());
    }
  }
  for (const auto& [group, settings] : device.settings) {
    for (const auto& [name, value] : settings) {
      lines.push_back("setting " + device.name + " " + group + "/" + name + " = " + value);
    }
  }
}

std::string described(const Namespace& there, const Route& route) {
  std::ostringstream text;
  text << "route " << route.table << ' ' << format(route.to) << " tos=" << int{route.tos}
       << " type=" << int{route.type} << " protocol=" << int{route.protocol}
       << " scope=" << int{route.scope} << " metric=" << route.metric
       << " source=" << text_of(route.source);
  for (const auto& [type, value] : route.metrics) text << " rtax" << type << '=' << value;
  for (const Nexthop& way : route.nexthops) {
    text << " [" << name_of(there, way.device) << ' ' << text_of(way.gateway) << ' '
         << int{way.hops} << ' ' << (way.flags & (RTNH_F_ONLINK | RTNH_F_DEAD)) << ']';
  }
  return text.str();
}

std::string described(const Rule& rule, const char* family) {
  std::ostringstream text;
  const auto prefix = [](const std::optional<Prefix>& it) { return it ? format(*it) : "-"; };
  const auto range = [](const auto& it) {
    return it ? std::to_string(it->front()) + "-" + std::to_string(it->back()) : std::string("-");
  };
  text << "rule " << family << ' ' << rule.priority << " action=" << int{rule.action}
       << " flags=" << rule.flags << " tos=" << int{rule.tos} << " table=" << rule.table
       << " target=" << rule.target << " from=" << prefix(rule.from) << " to=" << prefix(rule.to)
       << " iif=" << rule.iif << " oif=" << rule.oif << " mark=" << rule.mark << '/' << rule.mask
       << " protocol=" << int{rule.protocol} << " of=" << int{rule.ip_protocol} << ' '
       << range(rule.source_ports) << ' ' << range(rule.destination_ports) << ' '
       << range(rule.uids) << " suppress=" << rule.suppress_length;
  return text.str();
}

void describe(const NftTable& table, std::vector<std::string>& lines) {
  const std::string name = "table " + std::to_string(table.family) + " " + table.name;
  lines.push_back(name + " flags=" + std::to_string(table.flags));
  for (const NftChain& chain : table.chains) {
    std::string text = name + " chain " + chain.name + " userdata=" + hex(chain.userdata);
    if (chain.hook) {
      text += " hook=" + std::to_string(chain.hook->number) + "/" +
              std::to_string(chain.hook->priority) + " policy=" + std::to_string(chain.policy);
    }
    for (const NftRule& rule : chain.rules) {
      text += "\n    " + hex(rule.expressions) + " " + hex(rule.userdata);
    }
    lines.push_back(std::move(text));
  }
}

}  // namespace

std::vector<std::string> described(const Namespace& there) {
  std::vector<std::string> lines;
  for (const auto& [index, device] : there.devices) describe(there, device, lines);
  for (const Routing* routing : {&there.inet, &there.inet6}) {
    for (const Route& route : routing->routes) lines.push_back(described(there, route));
  }
  for (const Rule& rule : there.inet.rules) lines.push_back(described(rule, "inet"));
  for (const Rule& rule : there.inet6.rules) lines.push_back(described(rule, "inet6"));
  for (const auto& [path, value] : there.settings) lines.push_back(path + " = " + value);
  for (const NftTable& table : there.nf_tables.tables) describe(table, lines);
  std::ranges::sort(lines);
  return lines;
}

}  // namespace plumbline::sim
