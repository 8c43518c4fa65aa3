#include "plumbline/kinds/kind.hpp"

namespace plumbline {

namespace {

std::string words(const NeedsLink& need) {
  return "link " + format(need.name) + (need.up ? " up" : "");
}

std::string words(const NeedsGateway& need) {
  std::string text = "a network with " + format(need.via);
  if (need.dev) text += " on " + format(*need.dev);
  return text;
}

std::string words(const NeedsAddress& need) { return "address " + format(need.address); }

std::string words(const NeedsChain& need) {
  return "chain " + std::string(format(need.family)) + ' ' + need.table + ' ' + need.name;
}

std::string words(const NeedsSet& need) { return "ipset " + need.name; }

}  // namespace

std::string format(const Need& need) {
  return std::visit([](const auto& value) { return words(value); }, need);
}

std::string_view format(Disruption disruption) {
  switch (disruption) {
    case Disruption::nothing:
      return "nothing";
    case Disruption::counters:
      return "counters";
    case Disruption::sessions:
      return "sessions";
    case Disruption::traffic:
      return "traffic";
  }
  return "unknown";
}

}  // namespace plumbline
