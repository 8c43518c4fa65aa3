#include "predict.hpp"

#include "plumbline/kernel/taken_along.hpp"

namespace plumbline::plan {

State predict(State have, const Plan& plan) {
  kernel::World world(have);
  for (const Step& step : plan.steps) world.carry_out(step);
  return world.state();
}

}  // namespace plumbline::plan
