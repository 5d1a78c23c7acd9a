"""How far each layer moves the outputs when it is stored smaller, and the smallest plan that holds a budget."""
