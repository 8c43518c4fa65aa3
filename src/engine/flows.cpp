#include "flows.hpp"

#include "plumbline/firewall/commit/conntrack_flush.hpp"

namespace plumbline::engine {

void end_flows(const Context& context, const Prepared& prepared, Ledger& ledger,
               std::vector<Diagnostic>& warnings) {
  if (ledger.flows_to_flush.empty()) return;
  std::string words = firewall::flush_flows(context.host, ledger.flows_to_flush, prepared.desired,
                                            prepared.have.state);
  if (words.empty()) {
    ledger.flows_to_flush.clear();
  } else {
    warnings.push_back({Code::host_warning, std::move(words), {}, {}});
  }
}

}  // namespace plumbline::engine
