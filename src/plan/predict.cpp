#include "plumbline/plan/predict.hpp"

#include "plumbline/plan/world.hpp"

namespace plumbline {

std::vector<Key> carry_out(State& state, const Step& step) {
  World world(state);
  std::vector<Key> keys;
  for (const Taken& taken : world.carry_out(step)) keys.push_back(key_of(taken.before));
  state = world.state();
  return keys;
}

State predict(State have, const Plan& plan) {
  World world(have);
  for (const Step& step : plan.steps) world.carry_out(step);
  return world.state();
}

}  // namespace plumbline
